/**
 * A line of conmon's log, as bytes at fixed places:
 *
 *     2026-11-22T05:37:41.369540465+00:00 stdout F hello
 *     0                            29    35     42 43 45
 *
 * `F` ends with the process's own newline; after `P` conmon put one in (8 KB without one, or the output paused).
 */
export const payloadAt = 45;
const offsetAt = 29;
const tagAt = 43;
const space = 0x20;
const letterF = 0x46;
const letterP = 0x50;
const letterO = 0x6f;
const letterE = 0x65;

export const newline = 0x0a;

/** What stands at `at`: 0 = no line of conmon's, else stream 1 or 2; plus 4 when the line is complete (`F`). */
export function lineKind(bytes: Uint8Array, at: number): number {
  if (bytes[at + 35] !== space || bytes[at + 42] !== space || bytes[at + 44] !== space) return 0;
  const letter = bytes[at + 39];
  const stream = letter === letterO ? 1 : letter === letterE ? 2 : 0;
  const tag = bytes[at + tagAt];
  if (stream === 0 || (tag !== letterF && tag !== letterP)) return 0;
  return tag === letterF ? stream + 4 : stream;
}

export const isComplete = (kind: number): boolean => kind > 4;
export const streamOf = (kind: number): 1 | 2 => ((kind & 3) === 1 ? 1 : 2);

/** The time of the line at `at`, nanoseconds since the epoch. */
export function lineTimeNs(bytes: Uint8Array, at: number): bigint {
  const digits = (from: number, count: number): number => {
    let value = 0;
    for (let index = at + from; index < at + from + count; index++)
      value = value * 10 + (bytes[index] ?? 48) - 48;
    return value;
  };
  const seconds =
    Date.UTC(digits(0, 4), digits(5, 2) - 1, digits(8, 2), digits(11, 2), digits(14, 2), digits(17, 2)) /
    1000;
  const sign = bytes[at + offsetAt] === 0x2d ? -1 : 1;
  const zone = sign * (digits(offsetAt + 1, 2) * 3600 + digits(offsetAt + 4, 2) * 60);
  return BigInt(seconds - zone) * 1_000_000_000n + BigInt(digits(20, 9));
}

/** Whether the line's time is told in UTC, so that its digits can be printed as they stand. */
export const isUtc = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + offsetAt + 1] === 0x30 &&
  bytes[at + offsetAt + 2] === 0x30 &&
  bytes[at + offsetAt + 4] === 0x30 &&
  bytes[at + offsetAt + 5] === 0x30;
