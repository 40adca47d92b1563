import { codes, GrpcError } from "./status.ts";

/** The largest message taken; BuildKit's clients send at most 16 MB. */
export const messageLimit = 16 * 1024 * 1024;

const prefix = 5;

/** A message as gRPC puts it on the wire: not compressed, its length in four bytes. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefix + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefix);
  return framed;
}

/** The first room for a message that comes in pieces; what is announced and never sent takes no more. */
const firstRoom = 256 * 1024;

/**
 * Cuts a stream of bytes into messages. A message that lies within one chunk is a view into it. One that comes in pieces is
 * gathered in a buffer of its own: what is held is what was received, however small its pieces are.
 */
export class FrameReader {
  /** the beginning of a message, prefix included */
  private partial = Buffer.alloc(0);
  private held = 0;

  /** The messages that `chunk` completes. Throws `GrpcError` for one that is too long or compressed. */
  push(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let rest = chunk;
    while (this.held > 0 && rest.length > 0) {
      const missing = this.wanted() - this.held;
      const piece = rest.subarray(0, missing);
      this.hold(piece);
      rest = rest.subarray(piece.length);
      if (this.held < this.wanted()) continue;
      messages.push(this.partial.subarray(prefix, this.held));
      this.partial = Buffer.alloc(0);
      this.held = 0;
    }
    while (rest.length >= prefix) {
      const end = prefix + lengthIn(rest);
      if (rest.length < end) break;
      messages.push(rest.subarray(prefix, end));
      rest = rest.subarray(end);
    }
    if (rest.length > 0) this.hold(rest);
    return messages;
  }

  /** Whether the stream may end here. */
  get whole(): boolean {
    return this.held === 0;
  }

  /** Bytes of the message that is being gathered, as far as they are known. */
  private wanted(): number {
    return this.held < prefix ? prefix : prefix + lengthIn(this.partial);
  }

  private hold(piece: Buffer): void {
    const length = this.held + piece.length;
    if (length > this.partial.length) {
      const known = length >= prefix && this.held >= prefix ? this.wanted() : prefix;
      const room = Math.max(length, Math.min(known, Math.max(firstRoom, this.partial.length * 2)));
      const grown = Buffer.allocUnsafeSlow(room);
      this.partial.copy(grown, 0, 0, this.held);
      this.partial = grown;
    }
    piece.copy(this.partial, this.held);
    this.held = length;
  }
}

function lengthIn(head: Buffer): number {
  if (head[0] !== 0) throw new GrpcError(codes.unimplemented, "grpc: compressed messages are not supported");
  const length = head.readUInt32BE(1);
  if (length > messageLimit)
    throw new GrpcError(
      codes.resourceExhausted,
      `grpc: received message larger than max (${length} vs. ${messageLimit})`,
    );
  return length;
}
