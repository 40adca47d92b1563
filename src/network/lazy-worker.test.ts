import { expect, test } from "bun:test";
import { LazyWorker } from "./lazy-worker.ts";

test("an engine that never used its Worker ends without starting one", async () => {
  const began = performance.now();
  await new LazyWorker(1000, () => undefined).end();
  expect(performance.now() - began).toBeLessThan(5);
});
