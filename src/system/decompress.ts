import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { type Compression, compressionMagicMax, detectCompression } from "../lib/compression.ts";
import { EngineError, isKind, messageOf } from "../lib/errors.ts";
import { throughProgram } from "./pipe.ts";

/** The input as it was before gzip, zstd, xz or bzip2 (told from its first bytes); streaming, in bounded memory. */
export async function* decompress(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = input[Symbol.asyncIterator]();
  try {
    const { start, compression } = await peek(iterator);
    if (compression === "none") {
      yield* rejoin(start, iterator);
      return;
    }
    // programs and zlib look at bytes later than their source may want the memory back
    const all = copies(rejoin(start, iterator));
    if (compression === "xz") yield* throughProgram(["xz", "-dc"], all);
    else if (compression === "bzip2") yield* throughProgram(["bzip2", "-dc"], all);
    else yield* throughZlib(compression, all);
  } finally {
    await iterator.return?.();
  }
}

async function peek(
  iterator: AsyncIterator<Uint8Array>,
): Promise<{ start: Uint8Array[]; compression: Compression }> {
  const start: Uint8Array[] = [];
  let length = 0;
  while (length < compressionMagicMax) {
    const { value, done } = await iterator.next();
    if (done) break;
    start.push(value.length < compressionMagicMax ? value.slice() : value);
    length += value.length;
  }
  const first =
    start[0] !== undefined && start[0].length >= compressionMagicMax ? start[0] : Buffer.concat(start);
  return { start, compression: detectCompression(first) };
}

async function* rejoin(start: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* start;
  for (;;) {
    const { value, done } = await rest.next();
    if (done) return;
    yield value;
  }
}

async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of source)
    yield bytes.buffer instanceof SharedArrayBuffer ? Buffer.from(bytes) : bytes;
}

const outputChunk = 256 * 1024;

async function* throughZlib(
  compression: "gzip" | "zstd",
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(input, { objectMode: true, highWaterMark: 2 });
  const zlib =
    compression === "gzip"
      ? createGunzip({ chunkSize: outputChunk })
      : createZstdDecompress({ chunkSize: outputChunk });
  let inputError: unknown;
  source.on("error", (error) => {
    inputError = error;
    zlib.destroy(error);
  });
  source.pipe(zlib);
  try {
    for await (const bytes of zlib) yield bytes as Uint8Array;
  } catch (error) {
    if (inputError !== undefined) throw inputError;
    if (isKind(error, "invalid")) throw error;
    throw zlibError(compression, error);
  } finally {
    source.destroy();
    zlib.destroy();
  }
}

/** Input that ends early is told like a truncated archive, the rest as it is. */
function zlibError(compression: string, error: unknown): EngineError {
  const early =
    (error as { code?: unknown }).code === "Z_BUF_ERROR" || /unexpected end/i.test(messageOf(error));
  return new EngineError("invalid", early ? "unexpected EOF" : `${compression}: ${messageOf(error)}`, {
    cause: error,
  });
}
