import { expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { gzip } from "./compress.ts";

async function packed(bytes: Uint8Array, pieceBytes: number): Promise<Buffer> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const parts: Buffer[] = [];
  for await (const part of gzip(source(), 2)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

test("what is compressed is the same again, text and noise, whatever pieces it came in", async () => {
  const text = Buffer.from("a line of text\n".repeat(200_000));
  const noise = Buffer.concat(
    Array.from({ length: 48 }, () => crypto.getRandomValues(new Uint8Array(65_536))),
  );
  const all = Buffer.concat([text, noise, text]);
  const one = await packed(all, 65_536);
  expect(gunzipSync(one).equals(all)).toBe(true);
  expect(one.length).toBeLessThan(noise.length + text.length / 10);
  expect((await packed(all, 1_500_001)).equals(one)).toBe(true);
});

test("nothing is a gzip stream too", async () => {
  expect(gunzipSync(await packed(Buffer.alloc(0), 10))).toHaveLength(0);
});
