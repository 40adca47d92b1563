/** Lays out JSON text line by line without reading its values: numbers and escapes stay as they were written. */
export function indentJson(text: string, indent: string): string {
  let output = "";
  let depth = 0;
  let at = 0;
  const line = (): string => `\n${indent.repeat(depth)}`;
  while (at < text.length) {
    const character = text[at] ?? "";
    if (character === '"') {
      const end = stringEnd(text, at);
      output += text.slice(at, end);
      at = end;
      continue;
    }
    at++;
    if (/\s/.test(character)) continue;
    if (character === "{" || character === "[") {
      const next = /^\s*([}\]])/.exec(text.slice(at, at + 64));
      if (next) {
        output += character + next[1];
        at += next[0].length;
        continue;
      }
      depth++;
      output += character + line();
    } else if (character === "}" || character === "]") {
      depth--;
      output += line() + character;
    } else if (character === ",") output += character + line();
    else output += character === ":" ? ": " : character;
  }
  return output;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
