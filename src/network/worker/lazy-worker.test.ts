import { expect, test } from "bun:test";
import { LazyWorker } from "./lazy-worker.ts";

test("an engine that never used its Worker ends without starting one", async () => {
  const { Worker } = globalThis;
  let started = 0;
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      started++;
      super(...args);
    }
  };
  try {
    await new LazyWorker(1000, () => undefined).end();
  } finally {
    globalThis.Worker = Worker;
  }
  expect(started).toBe(0);
});
