/** Go's `%q`: a double-quoted text, and a single-quoted character for a number. */
const named: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

export const goQuote = (text: string): string =>
  `"${[...text].map((character) => (character === '"' ? '\\"' : escaped(character))).join("")}"`;

/** `'\x03'` for 3, `'a'` for 97. */
export const goQuoteRune = (code: number): string => {
  const character = code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  return `'${character === "'" ? "\\'" : escaped(character)}'`;
};

/** `["a" "b"]`, as Go prints a list of texts with `%q`. */
export const goQuoteList = (texts: readonly string[]): string => `[${texts.map(goQuote).join(" ")}]`;

function escaped(character: string): string {
  const short = named[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x7f || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) return character;
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** What an escape stands for, by its letter. */
const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** The text a Go string literal stands for, `"…"` or `` `…` ``; undefined for a bad escape. */
export function goUnquote(literal: string): string | undefined {
  if (literal.startsWith("`")) return literal.slice(1, -1).replaceAll("\r", "");
  let bad = false;
  const text = literal
    .slice(1, -1)
    .replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|.)/g, (_all, sequence: string) => {
      const simple = escapes[sequence];
      if (simple !== undefined) return simple;
      const code = /^[xuU]/.test(sequence)
        ? Number.parseInt(sequence.slice(1), 16)
        : /^[0-7]{3}$/.test(sequence)
          ? Number.parseInt(sequence, 8)
          : Number.NaN;
      if (Number.isNaN(code) || code > 0x10ffff) bad = true;
      return bad ? "" : String.fromCodePoint(code);
    });
  return bad ? undefined : text;
}
