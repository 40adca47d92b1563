import { expect, test } from "bun:test";
import { eachOf } from "./each.ts";

test("all items are worked on, no more at once than is said", async () => {
  const done: number[] = [];
  let open = 0;
  let openMax = 0;
  await eachOf([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    openMax = Math.max(openMax, ++open);
    await Bun.sleep(0);
    open--;
    done.push(item);
  });
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(openMax).toBe(3);
});

test("after a failure nothing more is begun, and what was begun is waited for", async () => {
  const begun: number[] = [];
  const other = Promise.withResolvers<void>();
  let otherDone = false;
  const all = eachOf([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("one");
    await other.promise;
    otherDone = true;
  });
  other.resolve();
  await expect(all).rejects.toThrow("one");
  expect(begun).toEqual([1, 2]);
  expect(otherDone).toBe(true);
});
