import { expect, test } from "bun:test";
import { turns } from "./turns.ts";

/** So many pieces of half a millisecond. */
async function work(pieces: number): Promise<void> {
  const turn = turns();
  for (let piece = 0; piece < pieces; piece++) {
    const end = performance.now() + 0.5;
    while (performance.now() < end);
    await turn();
  }
}

/** How many turns others have had when all is done. */
async function turnsDuring(all: Promise<unknown>): Promise<number> {
  let count = 0;
  let done = false;
  const next = (): void => {
    count++;
    if (!done) setImmediate(next);
  };
  setImmediate(next);
  await all;
  done = true;
  return count;
}

test("works side by side give others as many turns as one work of their length", async () => {
  // 100 ms of work in steps of two
  expect(await turnsDuring(work(200))).toBeGreaterThan(30);
  expect(await turnsDuring(Promise.all(Array.from({ length: 10 }, () => work(20))))).toBeGreaterThan(30);
});

test("every work comes to its end, also one that begins while others wait", async () => {
  const first = work(20);
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, work(20), work(1), work(0)]);
});
