/**
 * Docker's multiplexed streams: each piece of output has an 8-byte head, byte 0 the stream, bytes 4–7 the length,
 * big-endian (Engine API, "Attach to a container", stream format).
 */
export const stdinStream = 0;
export const stdoutStream = 1;
export const stderrStream = 2;
/** an error of the engine's own, told in the stream */
export const systemStream = 3;

/**
 * Our own: the last head of an exec's output, without a payload, has its exit code in place of the length. Clients ask for it
 * by this protocol's name where they create an exec, which then starts at once on their connection.
 */
export const exitStream = 4;
export const execProtocol = "berth-exec";

export const headSize = 8;

/** Writes a head into `target` at `offset`. */
export function writeHead(target: Uint8Array, offset: number, stream: number, length: number): void {
  target[offset] = stream;
  target.fill(0, offset + 1, offset + 4);
  new DataView(target.buffer, target.byteOffset).setUint32(offset + 4, length);
}

/** Head and payload as one piece. */
export function frame(stream: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const piece = new Uint8Array(headSize + payload.length);
  writeHead(piece, 0, stream, payload.length);
  piece.set(payload, headSize);
  return piece;
}

/** Takes a multiplexed stream apart; pieces may be cut anywhere, payloads are passed on as they come, never gathered. */
export class Demultiplexer {
  private readonly take: (stream: number, payload: Uint8Array) => void;
  private readonly head = new Uint8Array(headSize);
  private headFilled = 0;
  private left = 0;

  constructor(take: (stream: number, payload: Uint8Array) => void) {
    this.take = take;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.left === 0) at = this.fillHead(bytes, at);
      else {
        const end = Math.min(bytes.length, at + this.left);
        this.take(this.head[0] ?? 0, bytes.subarray(at, end));
        this.left -= end - at;
        at = end;
      }
    }
  }

  private fillHead(bytes: Uint8Array, from: number): number {
    const count = Math.min(headSize - this.headFilled, bytes.length - from);
    this.head.set(bytes.subarray(from, from + count), this.headFilled);
    this.headFilled += count;
    if (this.headFilled === headSize) {
      this.left = new DataView(this.head.buffer).getUint32(4);
      this.headFilled = 0;
    }
    return from + count;
  }
}
