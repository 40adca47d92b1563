/**
 * Patterns inside `${name#pattern}` and its relatives: `*` any run of characters, `?` any one (neither a newline),
 * `\*`, `\?` and `\\` the character itself; `\}` and `\/` only keep the brace or slash from ending the pattern.
 */
export type PatternToken = { kind: "any" } | { kind: "one" } | { kind: "literal"; character: string };

/** Throws `Error` for an escape that means nothing. */
export function parseShellPattern(pattern: string): PatternToken[] {
  const tokens: PatternToken[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") tokens.push({ kind: "any" });
    else if (character === "?") tokens.push({ kind: "one" });
    else if (character === "\\") {
      const next = characters[at + 1] ?? "\ufffd";
      if (next === "}" || next === "/") continue;
      if (next !== "*" && next !== "?" && next !== "\\") throw new Error(`invalid escape '\\${next}'`);
      tokens.push({ kind: "literal", character: next });
      at++;
    } else tokens.push({ kind: "literal", character });
  }
  return tokens;
}

/** Every place at which a match that begins at `from` can end, ascending. Time is at most pattern × text. */
export function matchEnds(tokens: readonly PatternToken[], text: readonly string[], from: number): number[] {
  let ends = [from];
  for (const token of tokens) {
    if (token.kind === "any") {
      const reached = new Set<number>();
      for (const start of ends)
        for (let end = start; !reached.has(end); end++) {
          reached.add(end);
          if (end >= text.length || text[end] === "\n") break;
        }
      ends = [...reached].sort((one, other) => one - other);
    } else ends = ends.filter((end) => end < text.length && accepts(token, text[end])).map((end) => end + 1);
  }
  return ends;
}

const accepts = (token: PatternToken, character: string | undefined): boolean =>
  token.kind === "literal" ? character === token.character : character !== "\n";
