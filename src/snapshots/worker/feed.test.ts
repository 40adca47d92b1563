import { expect, test } from "bun:test";
import { Feed } from "./feed.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("a push resolves when the reader comes for it, and not before", async () => {
  const feed = new Feed();
  let taken = false;
  const pushed = feed.push(bytes("a")).then(() => {
    taken = true;
  });
  await Bun.sleep(1);
  expect(taken).toBe(false);
  const reader = feed[Symbol.asyncIterator]();
  expect((await reader.next()).value?.toString()).toBe("a");
  await pushed;
  feed.end();
  expect((await reader.next()).done).toBe(true);
});

test("an error of the source reaches the reader", async () => {
  const feed = new Feed();
  const reading = Array.fromAsync(feed);
  feed.end(new Error("lost"));
  await expect(reading).rejects.toThrow("lost");
});

test("closing lets senders go, and later pushes too", async () => {
  const feed = new Feed();
  const waiting = feed.push(bytes("a"));
  feed.close();
  await waiting;
  await feed.push(bytes("b"));
  expect(await Array.fromAsync(feed)).toEqual([]);
});
