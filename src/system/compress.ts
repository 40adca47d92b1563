import { constants, deflateRaw } from "node:zlib";

/** Pieces are compressed side by side, each by itself: their boundaries are part of what comes out. */
const pieceBytes = 1024 * 1024;
const sideBySide = 4;
const outputBytes = 512 * 1024;

/** deterministic: no name, no time, "unknown" system */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** an empty last block */
const lastBlock = Buffer.from([3, 0]);

/**
 * A gzip stream (RFC 1952) of one member, compressed on several threads at a time in bounded memory. The same input gives
 * the same bytes, whatever pieces it comes in.
 */
export async function* gzip(source: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  const queue: Promise<Uint8Array>[] = [];
  let checksum = 0;
  let length = 0;
  yield header;
  for await (const piece of pieces(source)) {
    checksum = Bun.hash.crc32(piece, checksum);
    length += piece.length;
    const packed = isRandom(piece) ? Promise.resolve(stored(piece)) : deflate(piece, level);
    packed.catch(() => undefined); // told when its turn comes
    queue.push(packed);
    if (queue.length >= sideBySide) yield (await queue.shift()) ?? lastBlock;
  }
  for (const packed of queue) yield await packed;
  yield lastBlock;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  yield trailer;
}

const deflate = (piece: Uint8Array, level: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    deflateRaw(
      piece,
      { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: outputBytes },
      (error, packed) => (error ? reject(error) : resolve(packed)),
    );
  });

const storedBlockMax = 65_535;

/** As it is, in blocks that say so (RFC 1951, 3.2.4). */
function stored(piece: Uint8Array): Uint8Array {
  const blocks = Math.ceil(piece.length / storedBlockMax);
  const packed = Buffer.allocUnsafe(piece.length + blocks * 5);
  let to = 0;
  for (let at = 0; at < piece.length; at += storedBlockMax) {
    const length = Math.min(storedBlockMax, piece.length - at);
    packed[to] = 0;
    packed.writeUInt16LE(length, to + 1);
    packed.writeUInt16LE(length ^ 0xffff, to + 3);
    packed.set(piece.subarray(at, at + length), to + 5);
    to += 5 + length;
  }
  return packed;
}

/** The source in pieces of `pieceBytes`, but for the last. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafe(pieceBytes);
  let filled = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(bytes.length - at, pieceBytes - filled);
      piece.set(bytes.subarray(at, at + part), filled);
      filled += part;
      at += part;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = Buffer.allocUnsafe(pieceBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
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
