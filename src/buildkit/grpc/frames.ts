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

/** Cuts a stream of bytes into messages. A message that lies within one chunk is a view into it. */
export class FrameReader {
  private readonly chunks: Buffer[] = [];
  private held = 0;

  /** The messages that `chunk` completes. Throws `GrpcError` for one that is too long or compressed. */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.held += chunk.length;
    const messages: Buffer[] = [];
    for (let message = this.next(); message; message = this.next()) messages.push(message);
    return messages;
  }

  /** Whether the stream may end here. */
  get whole(): boolean {
    return this.held === 0;
  }

  private next(): Buffer | undefined {
    if (this.held < prefix) return undefined;
    const head = this.gather(prefix);
    if (head[0] !== 0)
      throw new GrpcError(codes.unimplemented, "grpc: compressed messages are not supported");
    const length = head.readUInt32BE(1);
    if (length > messageLimit)
      throw new GrpcError(
        codes.resourceExhausted,
        `grpc: received message larger than max (${length} vs. ${messageLimit})`,
      );
    if (this.held < prefix + length) return undefined;
    const message = this.gather(prefix + length).subarray(prefix, prefix + length);
    this.drop(prefix + length);
    return message;
  }

  /** A view of the first chunk that has at least `count` bytes, joining chunks where it has fewer. */
  private gather(count: number): Buffer {
    const first = this.chunks[0] ?? Buffer.alloc(0);
    if (first.length >= count) return first;
    const joined = Buffer.concat(this.chunks);
    this.chunks.splice(0, this.chunks.length, joined);
    return joined;
  }

  private drop(count: number): void {
    this.held -= count;
    const [first] = this.chunks;
    if (!first) return;
    if (first.length === count) this.chunks.shift();
    else this.chunks[0] = first.subarray(count);
  }
}
