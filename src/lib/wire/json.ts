/** JSON with 64-bit integers written as numbers (`timeNano`), which `JSON.stringify` refuses. */
export const stringify = (
  value: unknown,
  replace: (key: string, item: unknown) => unknown = (_key, item) => item,
): string =>
  JSON.stringify(value, (key, item) => (typeof item === "bigint" ? rawNumber(item) : replace(key, item)));

/** The same for a value that most likely has none: without a call for each of its parts, which takes twice as long. */
export function stringifyPlain(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof TypeError) return stringify(value);
    throw error;
  }
}

const rawNumber = (value: bigint): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
