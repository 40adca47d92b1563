/**
 * Walks over a million files leave garbage faster than the collector, which sees memory to spare, goes after it: every so
 * many files it is told to, which costs some 10 ms.
 */
const every = 25_000;
let seen = 0;

export function countFile(): void {
  seen++;
  if (seen % every === 0) Bun.gc(true);
}
