import { constants, deflateRaw, zstdCompress } from "node:zlib";
import type { LayerCompression } from "../../lib/compression/layer-compression.ts";

/** How packed pieces of a source become one stream. Each piece is packed by itself, whichever thread has time for it. */
export interface Framing {
  /** stands before the first piece */
  readonly head: Uint8Array;
  /** Told of each piece in its order, before it is written. */
  took(piece: Uint8Array): void;
  /** The piece compressed, on another thread, to `outputBytes` at most; undefined = it is to be stored. */
  pack(piece: Buffer, outputBytes: number): Promise<Buffer> | undefined;
  /** Writes a piece as it is; answers the end. */
  store(into: Buffer, start: number, piece: Buffer): number;
  /** stands behind the last piece */
  tail(): Uint8Array;
}

export function framingOf({ type, level }: LayerCompression): Framing {
  if (type === "gzip") return gzipFraming(level);
  return type === "zstd" ? zstdFraming(level) : plainFraming();
}

const nothing = new Uint8Array();

/** One member (RFC 1952), always the same: no name, no time, "unknown" system. What looks random is stored. */
function gzipFraming(level: number): Framing {
  let checksum = 0;
  let length = 0;
  return {
    head: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]),
    took: (piece) => {
      checksum = Bun.hash.crc32(piece, checksum);
      length += piece.length;
    },
    pack: (piece, outputBytes) => (isRandom(piece) ? undefined : deflate(piece, level, outputBytes)),
    store: putStored,
    tail: () => {
      const tail = Buffer.alloc(10);
      tail[0] = 3; // an empty last block
      tail.writeUInt32LE(checksum, 2);
      tail.writeUInt32LE(length % 2 ** 32, 6);
      return tail;
    },
  };
}

/** A frame for each piece (RFC 8878, 3.1: frames one after another are one stream), so none needs another's window. */
function zstdFraming(level: number): Framing {
  let isEmpty = true;
  return {
    head: nothing,
    took: (piece) => {
      isEmpty &&= piece.length === 0;
    },
    pack: (piece, outputBytes) => zstd(piece, level, outputBytes),
    store: (_into, start) => start, // of nothing, as everything else is packed
    tail: () => (isEmpty ? Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0]) : nothing),
  };
}

const plainFraming = (): Framing => ({
  head: nothing,
  took: () => undefined,
  pack: () => undefined,
  store: (into, start, piece) => {
    into.set(piece, start);
    return start + piece.length;
  },
  tail: () => nothing,
});

const deflate = (piece: Uint8Array, level: number, chunkSize: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    deflateRaw(piece, { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize }, (error, deflated) =>
      error ? reject(error) : resolve(deflated),
    );
  });

const zstd = (piece: Uint8Array, level: number, chunkSize: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    zstdCompress(piece, { params, chunkSize }, (error, packed) => (error ? reject(error) : resolve(packed)));
  });

const storedBlockMax = 65_535;

/** As it is, in blocks that say so (RFC 1951, 3.2.4). */
function putStored(into: Buffer, start: number, piece: Buffer): number {
  let to = start;
  for (let at = 0; at < piece.length; at += storedBlockMax) {
    const length = Math.min(storedBlockMax, piece.length - at);
    into[to] = 0;
    into.writeUInt16LE(length, to + 1);
    into.writeUInt16LE(length ^ 0xffff, to + 3);
    into.set(piece.subarray(at, at + length), to + 5);
    to += 5 + length;
  }
  return to;
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
