const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const mediaType = new RegExp(`^${token}(/(${token})?)?`);
// sticky, and tried once at each place: one pattern for all parameters took the square of a long run of blanks
const parameter = new RegExp(`\\s*;\\s*${token}\\s*=\\s*(?:${token}|"(?:[^"\\\\]|\\\\.)*")`, "y");
const end = /\s*(?:;\s*)?$/y;

/** What Go's reader of media types says of a header, if anything. */
export function mediaTypeFault(header: string): string | undefined {
  const semicolon = header.indexOf(";");
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim();
  if (type === "") return "no media type";
  const found = mediaType.exec(type);
  if (!found) return "no media type";
  if (found[1] === "/") return "expected token after slash";
  if (found[0] !== type)
    return found[1] === undefined
      ? "expected slash after first token"
      : "unexpected content after media subtype";
  return semicolon < 0 || areParameters(header, semicolon) ? undefined : "invalid media parameter";
}

function areParameters(header: string, from: number): boolean {
  parameter.lastIndex = from;
  end.lastIndex = from;
  while (parameter.test(header)) end.lastIndex = parameter.lastIndex;
  return end.test(header);
}
