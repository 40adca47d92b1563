import { expect, test } from "bun:test";
import { SharedWork } from "./shared.ts";

const watcher = (signal = new AbortController().signal) => ({ listener: () => undefined, signal });

/** Work that was given up, and takes until `end` to stop. */
async function dying(shared: SharedWork<string, string>): Promise<{ end: () => void }> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const leaving = new AbortController();
  const left = shared.join("key", () => promise, watcher(leaving.signal)).catch(() => undefined);
  leaving.abort(new Error("gone"));
  await left;
  return { end: () => resolve("late") };
}

test("who leaves while work that was given up still stops is let go at once, and begins nothing", async () => {
  const shared = new SharedWork<string, string>();
  const { end } = await dying(shared);
  let begun = 0;
  const leaving = new AbortController();
  const begin = async (): Promise<string> => `${++begun}`;
  const second = shared.join("key", begin, watcher(leaving.signal)).catch((error: Error) => error.message);
  leaving.abort(new Error("gone, too"));
  expect(await second).toBe("gone, too");
  const third = shared.join("key", begin, watcher());
  end();
  expect(await third).toBe("1");
});

test("following begins no work, and waits for what runs", async () => {
  const shared = new SharedWork<string, string>();
  expect(await shared.follow("key", watcher())).toBeUndefined();
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = shared.join("key", () => promise, watcher());
  const follower = shared.follow("key", watcher());
  resolve("done");
  expect(await Promise.all([first, follower])).toEqual(["done", "done"]);
  const { end } = await dying(shared);
  expect(await shared.follow("key", watcher())).toBeUndefined();
  end();
});
