import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Inflater } from "./inflate.ts";

const text = Buffer.from("what is given comes back ".repeat(40_000));

function inflated(compression: "gzip" | "zstd", pieces: readonly Uint8Array[]): string {
  const inflater = new Inflater(compression);
  const parts: Buffer[] = [];
  try {
    for (const piece of pieces) for (const part of inflater.push(piece)) parts.push(Buffer.from(part));
    for (const part of inflater.end()) parts.push(Buffer.from(part));
  } finally {
    inflater.close();
  }
  return Buffer.concat(parts).toString();
}

const inTwo = (bytes: Uint8Array, at: number): Uint8Array[] => [bytes.subarray(0, at), bytes.subarray(at)];

for (const [compression, pack] of [
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
] as const) {
  const packed = pack(text);

  test(`${compression} comes back, whatever pieces it comes in, from memory of several threads too`, () => {
    for (const at of [0, 1, 5, 20, packed.length - 1, packed.length])
      expect(inflated(compression, inTwo(packed, at))).toBe(text.toString());
    const shared = new Uint8Array(new SharedArrayBuffer(packed.length));
    shared.set(packed);
    expect(inflated(compression, [shared])).toBe(text.toString());
  });

  test(`several members of ${compression} in a row are one`, () => {
    const second = pack(Buffer.from("second"));
    const both = Buffer.concat([packed, second]);
    for (const at of [packed.length, packed.length + 1, both.length])
      expect(inflated(compression, inTwo(both, at))).toBe(`${text}second`);
  });

  test(`what is no ${compression} is an error`, () => {
    const damaged = Buffer.from(packed);
    for (let at = 4; at < 40; at++) damaged[at] = 0xff;
    expect(() => inflated(compression, [damaged])).toThrow();
    expect(() => inflated(compression, [packed, Buffer.from("junkjunk")])).toThrow();
  });
}

test("gzip that ends early, or has another checksum, is an error", () => {
  const packed = gzipSync(text);
  for (const length of [0, 5, 100, packed.length - 1])
    expect(() => inflated("gzip", [packed.subarray(0, length)])).toThrow("unexpected end of file");
  packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 1;
  expect(() => inflated("gzip", [packed])).toThrow("incorrect data check");
});

test("zeros after the end of gzip are padding", () => {
  expect(inflated("gzip", [gzipSync(text), new Uint8Array(512)])).toBe(text.toString());
});
