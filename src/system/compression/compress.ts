import { availableParallelism } from "node:os";
import type { LayerCompression } from "../../lib/compression/layer-compression.ts";
import { release } from "../../lib/release.ts";
import { type Framing, framingOf } from "./framing.ts";

/** Pieces are compressed side by side, each by itself: their boundaries are part of what comes out. */
const pieceBytes = 1024 * 1024;
const sideBySide = Math.min(4, availableParallelism() + 1);
/** what a piece may become at worst, with room to spare: one memory for all of it */
const outputBytes = pieceBytes + 16 * 1024;

/** Writes the source's next bytes into the memory and tells how many: less than fits only at the source's end. */
export type Fill = (memory: Buffer) => number;

export interface PackedPart {
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
  packed: Promise<Buffer> | undefined;
}

/**
 * The source packed in bounded memory, with its digest: the same source gives the same bytes. What can be compressed is, on
 * several threads at a time; reading, hashing and storing block the thread that asks.
 */
export async function* pack(fill: Fill, how: LayerCompression): AsyncGenerator<PackedPart, void> {
  const queue: Piece[] = [];
  const framing = framingOf(how);
  const output = new Output(framing);
  pieces.open();
  try {
    for (let ended = false; !ended || queue.length > 0; ) {
      const piece: Piece | undefined = ended ? undefined : begin(fill, framing, queue.length === 0);
      if (piece !== undefined) {
        queue.push(piece);
        output.took(piece);
        ended = piece.length < pieceBytes;
      }
      const [first] = queue;
      // what is stored waits for nothing but those before it
      const waits = piece !== undefined && !ended && queue.length < sideBySide;
      if (first === undefined || (waits && first.packed !== undefined)) continue;
      const part = output.part(first, await first.packed, ended && queue.length === 1);
      queue.shift();
      pieces.giveBack(first.memory);
      yield part;
    }
  } finally {
    await Promise.allSettled(queue.map(({ packed }) => packed)); // it reads the memory
    for (const { memory } of queue) pieces.giveBack(memory);
    pieces.close();
  }
}

/** Takes the next piece in; undefined where there is no memory for it now. */
function begin(fill: Fill, framing: Framing, must: boolean): Piece | undefined {
  const memory = pieces.take(must);
  if (memory === undefined) return undefined;
  try {
    const length = fill(memory);
    const packed = length === 0 ? undefined : framing.pack(memory.subarray(0, length), outputBytes);
    packed?.catch(() => undefined); // told when its turn comes
    return { memory, length, packed };
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

/** Puts the stream together, in two memories by turns: one is read while the other is written. */
class Output {
  private readonly framing: Framing;
  private readonly memories = [shared(), shared()] as const;
  private readonly hash = new Bun.CryptoHasher("sha256");
  private parts = 0;
  private size = 0;
  /** bytes of the source that are in parts */
  private taken = 0;

  constructor(framing: Framing) {
    this.framing = framing;
  }

  took({ memory, length }: Piece): void {
    this.framing.took(memory.subarray(0, length));
  }

  part({ memory, length }: Piece, packed: Buffer | undefined, last: boolean): PackedPart {
    const { framing } = this;
    const into = this.memories[this.parts % 2 === 0 ? 0 : 1];
    let end = this.parts++ === 0 ? put(into, 0, framing.head) : 0;
    if (packed === undefined) end = framing.store(into, end, memory.subarray(0, length));
    else {
      end = put(into, end, packed);
      release(new Uint8Array(packed.buffer));
    }
    if (last) end = put(into, end, framing.tail());
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
}

/** room for a piece, and for what stands before and behind all of them */
const shared = (): Buffer<SharedArrayBuffer> => Buffer.from(new SharedArrayBuffer(outputBytes + 64));

function put(into: Buffer, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}
