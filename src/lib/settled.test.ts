import { expect, test } from "bun:test";
import { whenSettled } from "./settled.ts";

test("everyone is told once the promise is settled, but for who has gone, and who asks later, too", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const told: string[] = [];
  whenSettled(promise, () => told.push("stays"));
  whenSettled(promise, () => told.push("leaves"))();
  reject(new Error("settled all the same"));
  await Bun.sleep(0);
  expect(told).toEqual(["stays"]);
  whenSettled(promise, () => told.push("late"));
  await Bun.sleep(0);
  expect(told).toEqual(["stays", "late"]);
});

test("who has gone is not kept by a promise that is never settled", async () => {
  const never = new Promise<void>(() => undefined);
  let collected = 0;
  const counted = new FinalizationRegistry(() => collected++);
  for (let index = 0; index < 1000; index++) {
    const one = { index };
    counted.register(one, undefined);
    whenSettled(never, () => one.index++)();
  }
  for (const end = performance.now() + 10_000; collected < 500 && performance.now() < end; ) {
    Bun.gc(true);
    await Bun.sleep(10);
  }
  expect(collected).toBeGreaterThanOrEqual(500);
});
