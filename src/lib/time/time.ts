/** Times as Docker writes them: RFC 3339 with nanoseconds, UTC. */

export const zeroTime = "0001-01-01T00:00:00Z";

let anchorNs = 0n;
let anchorMonotonicNs = 0n;

/**
 * Nanoseconds since the epoch. The monotonic clock fills in what `Date.now()` (milliseconds) leaves out; whenever
 * the two part by over two milliseconds (the clock was set, the machine slept) the wall clock wins.
 */
export function nowNs(): bigint {
  const wall = BigInt(Date.now()) * 1_000_000n;
  const monotonic = process.hrtime.bigint();
  const guess = anchorNs + (monotonic - anchorMonotonicNs);
  const apart = guess - wall;
  if (apart >= 0n && apart < 2_000_000n) return guess;
  anchorNs = wall;
  anchorMonotonicNs = monotonic;
  return wall;
}

/** RFC 3339 as Go's RFC3339Nano prints it: trailing zeros of the fraction are dropped. */
export function formatNs(ns: bigint): string {
  const seconds = ns / 1_000_000_000n;
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return fraction ? `${base}.${fraction}Z` : `${base}Z`;
}

/** The inverse of formatNs, for times this engine wrote; `undefined` for anything else. */
export function parseNs(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const milliseconds = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}
