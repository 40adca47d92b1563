import { expect, test } from "bun:test";
import { ZstdFrames } from "./zstd-frames.ts";

function isComplete(bytes: Uint8Array, pieceBytes = bytes.length): boolean {
  const frames = new ZstdFrames();
  for (let at = 0; at < bytes.length; at += pieceBytes) frames.push(bytes.subarray(at, at + pieceBytes));
  return frames.complete;
}

const text = Buffer.from("some text, again and again\n".repeat(30_000));
const frame = Bun.zstdCompressSync(text);
const zeros = Bun.zstdCompressSync(Buffer.alloc(1_000_000));
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

test("frames in a row are whole, in whatever pieces they come", () => {
  const all = Buffer.concat([frame, skippable, zeros, Bun.zstdCompressSync("")]);
  for (const pieceBytes of [1, 7, 1000, all.length]) expect(isComplete(all, pieceBytes)).toBe(true);
});

test("a stream that ends anywhere else is cut", () => {
  const all = Buffer.concat([skippable, zeros]);
  for (let end = 1; end < all.length; end++)
    if (end !== skippable.length) expect(isComplete(all.subarray(0, end))).toBe(false);
  for (let end = 1; end < frame.length; end += 13) expect(isComplete(frame.subarray(0, end))).toBe(false);
});

test("what follows that is no frame is the decoder's to refuse", () => {
  expect(isComplete(Buffer.concat([frame, Buffer.from("no frame")]))).toBe(true);
});
