import { expect, test } from "bun:test";
import { FrameReader, frame, messageLimit } from "./frames.ts";

const messages = ["", "a", "bc".repeat(300), "", "x".repeat(70_000), "end"].map((text) => Buffer.from(text));
const stream = Buffer.concat(messages.map((message) => frame(message)));

test("messages come out whole, however the stream is cut", () => {
  for (const size of [1, 2, 4, 5, 6, 1000, 16_384, stream.length]) {
    const reader = new FrameReader();
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size)
      found.push(...reader.push(stream.subarray(at, at + size)));
    expect(found.map(String)).toEqual(messages.map(String));
    expect(reader.whole).toBe(true);
  }
});

test("a message that is announced and comes in single bytes holds little more than those", () => {
  const reader = new FrameReader();
  const head = frame(Buffer.alloc(0));
  head.writeUInt32BE(messageLimit, 1);
  reader.push(head);
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  for (let n = 0; n < 500_000; n++) reader.push(Buffer.of(n & 255));
  expect(reader.whole).toBe(false);
  Bun.gc(true); // what was pushed is garbage
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test("a message that is too long or compressed is refused as soon as that is known", () => {
  const long = frame(Buffer.alloc(0));
  long.writeUInt32BE(messageLimit + 1, 1);
  expect(() => new FrameReader().push(long)).toThrow("larger than max");
  expect(() => new FrameReader().push(Buffer.of(1, 0, 0, 0, 0))).toThrow("compressed messages");
  const cut = new FrameReader();
  cut.push(long.subarray(0, 3));
  expect(() => cut.push(Buffer.concat([long.subarray(3), Buffer.of(0)]))).toThrow("larger than max");
});
