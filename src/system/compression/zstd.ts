import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";

const compress = promisify(zstdCompress);

/**
 * The source as zstd frames one after another, each of so many bytes of it (the last of fewer): who reads the frames' headers
 * knows how far they reach. Two are compressed at a time, on other threads; each is memory of its own.
 */
export async function* zstdFrames(
  source: AsyncIterable<Uint8Array>,
  frameBytes: number,
  level: number,
): AsyncGenerator<Uint8Array> {
  const options = { params: { [constants.ZSTD_c_compressionLevel]: level } };
  let before: Promise<Uint8Array> | undefined;
  for await (const piece of pieces(source, frameBytes)) {
    const frame = compress(piece, options);
    frame.catch(() => undefined); // told when its turn comes
    if (before !== undefined) yield await before;
    before = frame;
  }
  if (before !== undefined) yield await before;
}

async function* pieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafeSlow(size);
  let have = 0;
  for await (const bytes of source)
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(size - have, bytes.length - at);
      piece.set(bytes.subarray(at, at + part), have);
      have += part;
      at += part;
      if (have < size) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(size);
      have = 0;
    }
  if (have > 0) yield piece.subarray(0, have);
}
