/**
 * Walks over a million files leave garbage faster than the collector, which sees memory to spare, goes after it: every so
 * many files it is told to, which costs some 10 ms. More often where the engine, all its threads, has taken much memory.
 */
const step = 5_000;
const every = 20_000;
const muchMemory = 110 * 1024 * 1024;
let seen = 0;

export function countFile(): void {
  if (++seen % step !== 0) return;
  if (seen < every && process.memoryUsage.rss() < muchMemory) return;
  collect();
}

/** What a long walk is done with goes: the thread may idle, or hold more from now on. */
export function collect(): void {
  seen = 0;
  Bun.gc(true);
}
