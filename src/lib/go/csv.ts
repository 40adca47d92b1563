/** One CSV record, as Go's encoding/csv reads it: quotes around a whole field, doubled inside. */
export function parseCsv(text: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = text[at] === '"' ? /^"((?:[^"]|"")*)"(?=,|$)/.exec(text.slice(at)) : undefined;
    if (text[at] === '"' && !quoted)
      throw new Error(
        `parse error on line 1, column ${strayQuote(text, at) + 1}: extraneous or missing " in quoted-field`,
      );
    const comma = text.indexOf(",", at);
    const end = quoted ? at + quoted[0].length : comma < 0 ? text.length : comma;
    const field = quoted ? (quoted[1] ?? "").replaceAll('""', '"') : text.slice(at, end);
    if (!quoted && field.includes('"'))
      throw new Error(
        `parse error on line 1, column ${at + field.indexOf('"') + 1}: bare " in non-quoted-field`,
      );
    fields.push(field);
    if (end >= text.length) return fields;
    at = end + 1;
  }
}

/** Where the quotes of the field at `at` go wrong: at its closing quote, or behind the text. */
function strayQuote(text: string, at: number): number {
  const closing = /^"(?:[^"]|"")*"/.exec(text.slice(at));
  return closing ? at + closing[0].length - 1 : text.length;
}
