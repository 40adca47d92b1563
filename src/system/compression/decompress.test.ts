import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { isKind } from "../../lib/errors.ts";
import { decompress } from "./decompress.ts";

const mebibyte = 1024 ** 2;

/** `count` times the same piece, which unpacks to a mebibyte of zeros. */
async function* pieces(piece: Uint8Array, count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield piece;
}

/** Bytes that come out before it ends, and the error it ends with. */
async function read(source: AsyncIterable<Uint8Array>, bombFrom?: number) {
  let bytes = 0;
  try {
    for await (const piece of decompress(source, bombFrom === undefined ? {} : { bombFrom }))
      bytes += piece.length;
    return { bytes, error: undefined };
  } catch (error) {
    return { bytes, error };
  }
}

for (const [format, pack] of Object.entries({ gzip: gzipSync, zstd: zstdCompressSync })) {
  const zeros = pack(Buffer.alloc(mebibyte));

  test(`a ${format} bomb ends soon after the size from which it counts`, async () => {
    const { bytes, error } = await read(pieces(zeros, 1000), 20 * mebibyte);
    expect(isKind(error, "tooLarge")).toBe(true);
    expect((error as Error).message).toMatch(
      /^it is taken for a decompression bomb: \d+ bytes became over \d+$/,
    );
    expect(bytes).toBeLessThan(22 * mebibyte);
  });

  test(`zeros by ${format} below that size pass, as does what is no bomb above it`, async () => {
    expect(await read(pieces(zeros, 20), 20 * mebibyte)).toEqual({ bytes: 20 * mebibyte, error: undefined });
    const noise = crypto.getRandomValues(new Uint8Array(65_536));
    const real = pack(Buffer.concat([noise, Buffer.alloc(10 * noise.length)]));
    expect(await read(pieces(real, 40), mebibyte)).toEqual({ bytes: 40 * 11 * 65_536, error: undefined });
  });
}

test("what was cut anywhere is told, by gzip as by zstd, in place or not", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  for (const pack of [gzipSync, zstdCompressSync]) {
    const whole = pack(Buffer.concat([noise, Buffer.alloc(100_000), noise]));
    for (const length of [12, 1000, whole.length >> 1, whole.length - 1])
      for (const inPlace of [true, false]) {
        const cut = decompress(pieces(whole.subarray(0, length), 1), { inPlace });
        await expect(Array.fromAsync(cut, (each) => each.length)).rejects.toThrow(/^unexpected EOF$/);
      }
  }
});
