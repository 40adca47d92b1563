import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { detectCompression } from "./compression.ts";

test("compressions are told from their first bytes", () => {
  expect(detectCompression(gzipSync("x"))).toBe("gzip");
  expect(detectCompression(zstdCompressSync("x"))).toBe("zstd");
  expect(detectCompression(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]))).toBe("xz");
  expect(detectCompression(Buffer.from("BZh9"))).toBe("bzip2");
  expect(detectCompression(Buffer.from([0x50, 0x2a, 0x4d, 0x18]))).toBe("zstd");
});

test("anything else, however short, is not compressed", () => {
  for (const text of ["", "B", "\x1f\x8b", "plain text"])
    expect(detectCompression(Buffer.from(text, "latin1"))).toBe("none");
});
