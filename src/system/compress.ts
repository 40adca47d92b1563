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

/** Writes the source's next bytes into the memory and tells how many: less than fits only at the source's end. */
export type Fill = (memory: Buffer) => number;

export interface GzipPart {
  /** good until the part after the next is asked for */
  bytes: Uint8Array<SharedArrayBuffer>;
  /** bytes of the source behind this part and those before it */
  taken: number;
  /** in the last part: of all that came out */
  whole?: { digest: string; size: number };
}

/** A piece of the source, in memory that later pieces use again. */
interface Piece {
  memory: Buffer;
  length: number;
  /** undefined = it is stored as it is */
  deflated: Promise<Buffer> | undefined;
}

/**
 * A gzip stream (RFC 1952) of one member in bounded memory, with its digest: the same source gives the same bytes. What
 * can be compressed is, on several threads at a time; reading, hashing and storing block the thread that asks.
 */
export async function* gzip(fill: Fill, level: number): AsyncGenerator<GzipPart, void> {
  const queue: Piece[] = [];
  const output = new Output();
  pieces.open();
  try {
    for (let ended = false; !ended || queue.length > 0; ) {
      const piece: Piece | undefined = ended ? undefined : begin(fill, level, queue.length === 0);
      if (piece !== undefined) {
        queue.push(piece);
        output.took(piece);
        ended = piece.length < pieceBytes;
      }
      const [first] = queue;
      // what is stored waits for nothing but those before it
      const waits = piece !== undefined && !ended && queue.length < sideBySide;
      if (first === undefined || (waits && first.deflated !== undefined)) continue;
      const part = output.part(first, await first.deflated, ended && queue.length === 1);
      queue.shift();
      pieces.giveBack(first.memory);
      yield part;
    }
  } finally {
    await Promise.allSettled(queue.map(({ deflated }) => deflated)); // it reads the memory
    for (const { memory } of queue) pieces.giveBack(memory);
    pieces.close();
  }
}

/** Takes the next piece in; undefined where there is no memory for it now. */
function begin(fill: Fill, level: number, must: boolean): Piece | undefined {
  const memory = pieces.take(must);
  if (memory === undefined) return undefined;
  try {
    const length = fill(memory);
    const bytes = memory.subarray(0, length);
    const deflated = length === 0 || isRandom(bytes) ? undefined : deflate(bytes, level);
    deflated?.catch(() => undefined); // told when its turn comes
    return { memory, length, deflated };
  } catch (error) {
    pieces.giveBack(memory);
    throw error;
  }
}

/** One budget of memory for all streams of this thread; each gets one piece of it in any case. */
const pieces = {
  streams: 0,
  free: [] as Buffer[],
  taken: 0,
  open(): void {
    this.streams++;
  },
  close(): void {
    if (--this.streams === 0) this.free.length = 0;
  },
  take(must: boolean): Buffer | undefined {
    if (this.taken >= sideBySide && !must) return undefined;
    this.taken++;
    return this.free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  },
  giveBack(memory: Buffer): void {
    this.taken--;
    if (this.taken + this.free.length < sideBySide) this.free.push(memory);
    else release(memory);
  },
};

const deflate = (piece: Uint8Array, level: number): Promise<Buffer<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    deflateRaw(
      piece,
      { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: outputBytes },
      (error, deflated) => (error ? reject(error) : resolve(deflated)),
    );
  });

/** Puts the stream together, in two memories by turns: one is read while the other is written. */
class Output {
  private readonly memories = [shared(), shared()] as const;
  private readonly hash = new Bun.CryptoHasher("sha256");
  private parts = 0;
  private size = 0;
  private checksum = 0;
  /** bytes of the source, and of those, the ones that are in parts */
  private length = 0;
  private taken = 0;

  took({ memory, length }: Piece): void {
    this.checksum = Bun.hash.crc32(memory.subarray(0, length), this.checksum);
    this.length += length;
  }

  part({ memory, length }: Piece, deflated: Buffer | undefined, last: boolean): GzipPart {
    const into = this.memories[this.parts % 2 === 0 ? 0 : 1];
    let end = this.parts++ === 0 ? put(into, 0, header) : 0;
    if (deflated === undefined) end = putStored(into, end, memory.subarray(0, length));
    else {
      end = put(into, end, deflated);
      release(new Uint8Array(deflated.buffer));
    }
    if (last) end = this.putTrailer(into, end);
    const bytes = into.subarray(0, end);
    this.hash.update(bytes);
    this.size += end;
    this.taken += length;
    const { taken, size } = this;
    return {
      bytes,
      taken,
      ...(last ? { whole: { digest: `sha256:${this.hash.digest("hex")}`, size } } : {}),
    };
  }

  private putTrailer(into: Buffer, at: number): number {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.checksum, 0);
    trailer.writeUInt32LE(this.length % 2 ** 32, 4);
    return put(into, put(into, at, lastBlock), trailer);
  }
}

const shared = (): Buffer<SharedArrayBuffer> =>
  Buffer.from(new SharedArrayBuffer(header.length + outputBytes + lastBlock.length + 8));

function put(into: Buffer, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}

const storedBlockMax = 65_535;

/** As it is, in blocks that say so (RFC 1951, 3.2.4). */
function putStored(into: Buffer, start: number, piece: Uint8Array): number {
  let to = start;
  for (let at = 0; at < piece.length; at += storedBlockMax) {
    const length = Math.min(storedBlockMax, piece.length - at);
    into[to] = 0;
    into.writeUInt16LE(length, to + 1);
    into.writeUInt16LE(length ^ 0xffff, to + 3);
    to = put(into, to + 5, piece.subarray(at, at + length));
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
