import type { StreamNumber } from "./connection.ts";

/** Docker's framing of two streams in one: 1 byte stream, 3 zero bytes, 4 bytes length (big-endian), the bytes. */
export const frameHeaderSize = 8;

export function writeFrameHeader(into: Uint8Array, at: number, stream: StreamNumber, length: number): void {
  into.fill(0, at, at + 4);
  into[at] = stream;
  into[at + 4] = length >>> 24;
  into[at + 5] = (length >>> 16) & 0xff;
  into[at + 6] = (length >>> 8) & 0xff;
  into[at + 7] = length & 0xff;
}

/** holds a whole read of a pipe (64 KB), or what is gathered of conmon's packets */
const largest = 80 * 1024;
const smallest = 2048;

interface Piece {
  bytes: Buffer;
  size: number;
  payload: number;
  /** of the last frame: where its header is, and its length */
  frame: { at: number; stream: StreamNumber; length: number } | undefined;
}

/**
 * Output that waits for its reader, in pieces as they are sent: the bytes as they are for a terminal, else in frames
 * (neighbours of one stream share one). What comes is copied into its place at once, so that nothing is kept of it.
 */
export class OutputQueue {
  /** bytes of the process that wait */
  waiting = 0;
  private readonly terminal: boolean;
  private pieces: Piece[] = [];
  /** what the next piece may need, from the size of the one before */
  private expected = smallest;

  constructor(terminal: boolean) {
    this.terminal = terminal;
  }

  /** At most 64 KB; those before `from` do not count. */
  push(stream: StreamNumber, bytes: Buffer, from = 0): void {
    const length = bytes.length - from;
    const piece = this.pieceFor(length + frameHeaderSize);
    if (!this.terminal) this.extendFrame(piece, stream, length);
    bytes.copy(piece.bytes, piece.size, from);
    piece.size += length;
    piece.payload += length;
    this.waiting += length;
  }

  /** The oldest piece, which is the caller's to keep; undefined where none waits. */
  take(): Uint8Array | undefined {
    const piece = this.pieces.shift();
    if (!piece) return undefined;
    this.waiting -= piece.payload;
    this.expected = piece.size;
    return piece.bytes.subarray(0, piece.size);
  }

  private pieceFor(length: number): Piece {
    const last = this.pieces.at(-1);
    if (last && last.size + length <= largest) {
      if (last.size + length > last.bytes.length) {
        const wider = allocate(last.size + length);
        last.bytes.copy(wider, 0, 0, last.size);
        last.bytes = wider;
      }
      return last;
    }
    const bytes = allocate(Math.max(length, this.expected));
    const piece: Piece = { bytes, size: 0, payload: 0, frame: undefined };
    this.pieces.push(piece);
    return piece;
  }

  private extendFrame(piece: Piece, stream: StreamNumber, length: number): void {
    if (piece.frame?.stream !== stream) {
      piece.frame = { at: piece.size, stream, length: 0 };
      piece.size += frameHeaderSize;
    }
    piece.frame.length += length;
    writeFrameHeader(piece.bytes, piece.frame.at, stream, piece.frame.length);
  }
}

/** Twice as much each time until the largest: what grows is copied but a few times. */
function allocate(length: number): Buffer {
  let size = smallest;
  while (size < length) size *= 2;
  return Buffer.allocUnsafeSlow(Math.max(length, Math.min(size, largest)));
}
