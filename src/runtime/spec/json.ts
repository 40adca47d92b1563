/** RLIM_INFINITY, 2^64 - 1, as near as a number can hold it. */
export const unlimited = 2 ** 64;

/** A spec or a process as text; `unlimited` is written as the exact integer, which runtimes insist on. */
export const specJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(`:${JSON.stringify(unlimited)}`, ":18446744073709551615");
