/**
 * Walks over a million files leave garbage faster than the collector, which sees memory to spare, goes after it: every so
 * many files it is told to, which costs some 10 ms. More often in a long walk, where that is little of the whole.
 */
const every = 25_000;
const everyInLong = 8_000;
const longFrom = 100_000;
const restMs = 10_000;
let seen = 0;
let next = every;
let last = 0;

export function countFile(): void {
  if (++seen < next) return;
  const now = Date.now();
  if (now - last > restMs) seen = 0;
  last = now;
  next = seen + (seen < longFrom ? every : everyInLong);
  Bun.gc(true);
}
