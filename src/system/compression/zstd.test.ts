import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { ZstdFrames } from "../../lib/compression/zstd-frames.ts";
import { decompress } from "./decompress.ts";
import { zstdFrames } from "./zstd.ts";

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("frames of so many bytes each unpack to the source, however its pieces are cut", async () => {
  const source = Buffer.concat([randomBytes(2500), Buffer.alloc(3000), Buffer.from("end")]);
  for (const size of [1, 999, 1000, 1001, 6000]) {
    const frames = await Array.fromAsync(zstdFrames(chunks(source, size), 1000, 1));
    expect(frames).toHaveLength(6);
    const back = Buffer.concat(await Array.fromAsync(decompress(chunks(Buffer.concat(frames), 77))));
    expect(back.equals(source)).toBeTrue();
  }
});

test("their headers tell how many have begun and ended", async () => {
  const frames = await Array.fromAsync(zstdFrames(chunks(randomBytes(2500), 100), 1000, 1));
  const follower = new ZstdFrames();
  expect(follower.whole).toBe(0);
  frames.forEach((frame, index) => {
    follower.push(frame.subarray(0, 20));
    expect(follower.whole).toBe(index);
    follower.push(frame.subarray(20));
    expect([follower.whole, follower.complete]).toEqual([index + 1, true]);
  });
});

test("a failing source fails the frames", async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    throw new Error("broken off");
  }
  expect(Array.fromAsync(zstdFrames(failing(), 4, 1))).rejects.toThrow("broken off");
});
