/** JSON with 64-bit integers written as numbers (`timeNano`), which `JSON.stringify` refuses. */
export const stringify = (value: unknown): string =>
  JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? rawNumber(item) : item));

const rawNumber = (value: bigint): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
