import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import {
  type Compression,
  compressionMagicMax,
  detectCompression,
} from "../../lib/compression/compression.ts";
import { ZstdFrames } from "../../lib/compression/zstd-frames.ts";
import { EngineError, isKind, messageOf } from "../../lib/errors.ts";
import { throughProgram } from "../process/pipe.ts";
import { InflateError, Inflater } from "./inflate.ts";

/** Real archives unpack to 2–20 times their size; what is mostly zeros does more, and where it is small it may. */
const bombRatio = 100;
export const bombFromDefault = 10 * 1024 ** 3;

interface DecompressOptions {
  /**
   * Output of over a hundred times the input is refused as a bomb once it has more bytes than this: 10 GiB by default;
   * infinite where something else limits the output.
   */
  bombFrom?: number;
  /**
   * For a thread that does nothing else: it inflates there, and what is yielded is good until the next is asked for.
   * Elsewhere other threads inflate, and each piece is memory of its own.
   */
  inPlace?: boolean;
}

/**
 * The input as it was before gzip, zstd, xz or bzip2 (told from its first bytes); streaming, in bounded memory. Throws
 * `invalid` where it is damaged, `tooLarge` where it is a bomb.
 */
export async function* decompress(
  input: AsyncIterable<Uint8Array>,
  { bombFrom = bombFromDefault, inPlace = false }: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const iterator = input[Symbol.asyncIterator]();
  try {
    const { start, compression } = await peek(iterator);
    if (compression === "none") {
      yield* rejoin(start, iterator);
      return;
    }
    const read = { bytes: 0 };
    const source = counted(rejoin(start, iterator), read);
    const all = compression === "zstd" ? wholeFrames(source) : source;
    let written = 0;
    for await (const bytes of through(compression, all, inPlace)) {
      written += bytes.length;
      if (written > bombFrom && written > read.bytes * bombRatio) throw bomb(read.bytes, written);
      yield bytes;
    }
  } finally {
    await iterator.return?.();
  }
}

function through(
  compression: Exclude<Compression, "none">,
  input: AsyncIterable<Uint8Array>,
  inPlace: boolean,
): AsyncIterable<Uint8Array> {
  if (compression === "xz") return throughProgram(["xz", "-dc"], copies(input));
  if (compression === "bzip2") return throughProgram(["bzip2", "-dc"], copies(input));
  return inPlace ? inflatedHere(compression, input) : throughZlib(compression, copies(input));
}

const bomb = (read: number, written: number): EngineError =>
  new EngineError(
    "tooLarge",
    `it is taken for a decompression bomb: ${read} bytes became over ${written - 1}`,
  );

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

async function* counted(
  source: AsyncIterable<Uint8Array>,
  read: { bytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    read.bytes += bytes.length;
    yield bytes;
  }
}

/** zstd's decoder says nothing of a stream that was cut. */
async function* wholeFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames();
  for await (const bytes of source) {
    frames.push(bytes);
    yield bytes;
  }
  if (!frames.complete) throw new EngineError("invalid", "unexpected EOF");
}

/** Programs and other threads look at bytes later than their source may want the memory back. */
async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of source)
    yield bytes.buffer instanceof SharedArrayBuffer ? Buffer.from(bytes) : bytes;
}

async function* inflatedHere(
  compression: "gzip" | "zstd",
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const inflater = new Inflater(compression);
  try {
    for await (const bytes of input) yield* told(compression, inflater.push(bytes));
    yield* told(compression, inflater.end());
  } finally {
    inflater.close();
  }
}

function* told(compression: string, parts: Generator<Uint8Array>): Generator<Uint8Array> {
  try {
    yield* parts;
  } catch (error) {
    throw error instanceof InflateError ? zlibError(compression, error) : error;
  }
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
