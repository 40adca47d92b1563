import { exitStream } from "../lib/wire/multiplex.ts";

/** Output of a process without a terminal: each frame is 1 byte stream, 3 zero bytes, 4 bytes length, the payload. */
type OutputStream = "stdout" | "stderr";

interface Frame {
  stream: OutputStream;
  bytes: Uint8Array;
}

/** An engine may put the reason why a log driver broke into a frame of its own kind. */
const systemError = 3;

/** Splits chunks of multiplexed output into frames; a frame cut by chunk ends is passed on piece by piece. */
export class Demultiplexer {
  /** what an engine of ours says at the end of an exec (`exitStream`) */
  exitCode: number | undefined;
  private head: number[] = [];
  private left = 0;
  private kind = 0;

  *push(chunk: Uint8Array): Generator<Frame> {
    let at = 0;
    while (at < chunk.length) {
      if (this.left === 0) {
        at = this.readHead(chunk, at);
        continue;
      }
      const end = Math.min(chunk.length, at + this.left);
      const bytes = chunk.subarray(at, end);
      this.left -= bytes.length;
      at = end;
      if (this.kind === systemError)
        throw new Error(`error from daemon in stream: ${new TextDecoder().decode(bytes)}`);
      yield { stream: this.kind === 2 ? "stderr" : "stdout", bytes };
    }
  }

  private readHead(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length && this.head.length < 8) this.head.push(chunk[at++] ?? 0);
    if (this.head.length < 8) return at;
    const [kind = 0, , , , a = 0, b = 0, c = 0, d = 0] = this.head;
    const length = a * 2 ** 24 + b * 65536 + c * 256 + d;
    this.head = [];
    if (kind === exitStream) {
      this.exitCode = length;
      return at;
    }
    if (kind > systemError) throw new Error(`Unrecognized input header: ${kind}`);
    this.kind = kind;
    this.left = length;
    return at;
  }
}
