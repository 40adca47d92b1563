import { expect, test } from "bun:test";
import { OutputQueue } from "./frames.ts";

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

function queueOf(terminal: boolean, ...packets: [stream: 1 | 2, bytes: string | Buffer][]): OutputQueue {
  const queue = new OutputQueue(terminal);
  for (const [stream, bytes] of packets) queue.push(stream, Buffer.from(bytes as string));
  return queue;
}

test("each stream's bytes stand in a frame, neighbours of one stream in one", () => {
  const queue = queueOf(false, [1, "a"], [1, "b"], [2, "c"], [1, "d"]);
  expect(queue.waiting).toBe(4);
  expect(hex(queue.take())).toBe("01000000000000026162" + "020000000000000163" + "010000000000000164");
  expect(queue.waiting).toBe(0);
  expect(queue.take()).toBeUndefined();
});

test("a terminal's bytes pass as they are", () => {
  expect(hex(queueOf(true, [1, "a"], [1, "b"]).take())).toBe("6162");
});

test("a length takes all four bytes, and what comes in front of the bytes is left out", () => {
  const queue = new OutputQueue(false);
  queue.push(1, Buffer.alloc(0x010001), 1);
  expect(hex(queue.take()?.subarray(0, 8))).toBe("0100000000010000");
});

test("much comes in order, in pieces of bounded size with frames of their own", () => {
  const queue = new OutputQueue(false);
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) & 0xff));
  for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 3) % 8191)
    queue.push(1, sent.subarray(at, at + size));
  expect(queue.waiting).toBe(300_000);
  const got: Buffer[] = [];
  for (let piece = queue.take(); piece; piece = queue.take()) {
    expect(piece.length).toBeLessThanOrEqual(80 * 1024);
    expect(Buffer.from(piece).readUInt32BE(4)).toBe(piece.length - 8);
    got.push(Buffer.from(piece.subarray(8)));
  }
  expect(Buffer.concat(got).equals(sent)).toBe(true);
});
