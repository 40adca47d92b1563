import { availableParallelism } from "node:os";
import { constants, deflateRaw } from "node:zlib";
import { release } from "../lib/release.ts";

/** Pieces are compressed side by side, each by itself: their boundaries are part of what comes out. */
const pieceBytes = 1024 * 1024;
const sideBySide = Math.min(4, availableParallelism() + 1);
/** what a piece may become at worst, with room to spare: one memory for all of it */
const outputBytes = pieceBytes + 16 * 1024;

/** deterministic: no name, no time, "unknown" system */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** an empty last block */
const lastBlock = Buffer.from([3, 0]);

/** A piece of the source, in memory that later pieces use again. */
interface Piece {
  memory: Buffer;
  length: number;
  /** undefined = it is stored as it is */
  deflated: Promise<Buffer> | undefined;
}

/**
 * A gzip stream (RFC 1952) of one member, compressed on several threads at a time in bounded memory. The same input gives
 * the same bytes, whatever pieces it comes in. A piece of the source is not looked at once the next is asked for, and what
 * is yielded is good until the next is.
 */
export async function* gzip(source: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  const queue: Piece[] = [];
  const free: Buffer[] = [];
  const output = Buffer.allocUnsafeSlow(storedBytes(pieceBytes));
  let checksum = 0;
  let length = 0;
  yield header;
  for await (const { memory, length: filled } of pieces(source, free)) {
    const bytes = memory.subarray(0, filled);
    checksum = Bun.hash.crc32(bytes, checksum);
    length += filled;
    const deflated = isRandom(bytes) ? undefined : deflate(bytes, level);
    deflated?.catch(() => undefined); // told when its turn comes
    queue.push({ memory, length: filled, deflated });
    // what is stored waits for nothing but those before it
    while (queue.length >= sideBySide || (queue[0] && queue[0].deflated === undefined))
      yield* packed(queue, free, output);
  }
  while (queue.length > 0) yield* packed(queue, free, output);
  yield lastBlock;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  yield trailer;
}

/** The queue's first, after which its memory is free. */
async function* packed(queue: Piece[], free: Buffer[], output: Buffer): AsyncGenerator<Uint8Array> {
  const piece = queue.shift();
  if (piece === undefined) return;
  if (piece.deflated === undefined) yield stored(piece.memory.subarray(0, piece.length), output);
  else {
    const bytes = await piece.deflated;
    yield bytes;
    release(new Uint8Array(bytes.buffer));
  }
  free.push(piece.memory);
}

const deflate = (piece: Uint8Array, level: number): Promise<Buffer<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    deflateRaw(
      piece,
      { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: outputBytes },
      (error, deflated) => (error ? reject(error) : resolve(deflated)),
    );
  });

const storedBlockMax = 65_535;

const storedBytes = (length: number): number => length + Math.ceil(length / storedBlockMax) * 5;

/** As it is, in blocks that say so (RFC 1951, 3.2.4). */
function stored(piece: Uint8Array, output: Buffer): Uint8Array {
  let to = 0;
  for (let at = 0; at < piece.length; at += storedBlockMax) {
    const length = Math.min(storedBlockMax, piece.length - at);
    output[to] = 0;
    output.writeUInt16LE(length, to + 1);
    output.writeUInt16LE(length ^ 0xffff, to + 3);
    output.set(piece.subarray(at, at + length), to + 5);
    to += 5 + length;
  }
  return output.subarray(0, to);
}

/** The source in pieces of `pieceBytes`, but for the last, in memory from `free` where there is some. */
async function* pieces(
  source: AsyncIterable<Uint8Array>,
  free: Buffer[],
): AsyncGenerator<{ memory: Buffer; length: number }> {
  let memory: Buffer | undefined;
  let length = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      memory ??= free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
      const part = Math.min(bytes.length - at, pieceBytes - length);
      memory.set(bytes.subarray(at, at + part), length);
      length += part;
      at += part;
      if (length < pieceBytes) continue;
      yield { memory, length };
      memory = undefined;
      length = 0;
    }
  }
  if (memory !== undefined) yield { memory, length };
}

const sampleBytes = 16 * 1024;
/** of 8; random bytes have 7.99 in a sample of that size, text and programs below 7 */
const randomBits = 7.9;

/** Whether compressing is lost time: archives, media and keys look like random bytes, and are stored as they are. */
function isRandom(piece: Uint8Array): boolean {
  if (piece.length < sampleBytes) return false;
  const counts = new Uint32Array(256);
  const stride = Math.floor(piece.length / sampleBytes);
  for (let at = 0; at < sampleBytes; at++) {
    const byte = piece[at * stride] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / sampleBytes) * Math.log2(count / sampleBytes);
  return bits > randomBits;
}
