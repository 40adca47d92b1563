/** Patterns inside `${name#pattern}`: `*` any run of characters, `?` any one, `\x` the character itself. */
export type PatternToken = { kind: "any" } | { kind: "one" } | { kind: "literal"; character: string };

export function parseShellPattern(pattern: string): PatternToken[] {
  const tokens: PatternToken[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") tokens.push({ kind: "any" });
    else if (character === "?") tokens.push({ kind: "one" });
    else if (character === "\\" && at + 1 < characters.length)
      tokens.push({ kind: "literal", character: characters[++at] ?? "" });
    else tokens.push({ kind: "literal", character });
  }
  return tokens;
}

/** Every place at which a match that begins at `from` can end, ascending. Time is at most pattern × text. */
export function matchEnds(tokens: readonly PatternToken[], text: readonly string[], from: number): number[] {
  let ends = [from];
  for (const token of tokens) {
    if (token.kind === "any") {
      const least = ends[0];
      if (least === undefined) return [];
      ends = Array.from({ length: text.length - least + 1 }, (_, index) => least + index);
    } else
      ends = ends
        .filter((end) => end < text.length && (token.kind === "one" || text[end] === token.character))
        .map((end) => end + 1);
  }
  return ends;
}
