import { FrameReader } from "./frames.ts";
import { codes, GrpcError } from "./status.ts";

/** Bytes taken from a stream before its reader has come for them. */
const pendingLimit = 1024 * 1024;

/**
 * The bytes of a stream at the pace at which they are read: each `take` gives all that has come, so that a busy reader
 * gets few large pieces. It listens from the start.
 */
export class Incoming {
  private readonly stream: NodeJS.ReadableStream;
  private pending: Buffer[] = [];
  private size = 0;
  private ended = false;
  private error: unknown;
  private wake: (() => void) | undefined;

  constructor(stream: NodeJS.ReadableStream) {
    this.stream = stream;
    stream.on("data", this.onData);
    stream.once("end", () => this.end());
    stream.once("close", () => this.end(new GrpcError(codes.canceled, "context canceled")));
  }

  /** undefined at the end. Throws `canceled` where the stream closed before its end. */
  async take(): Promise<Buffer[] | undefined> {
    while (this.pending.length === 0) {
      if (this.error !== undefined) throw this.error;
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = this.pending;
    this.pending = [];
    this.size = 0;
    this.stream.resume();
    return taken;
  }

  /** What still comes is dropped. */
  drop(): void {
    this.stream.removeListener("data", this.onData);
    this.pending = [];
    this.end();
    this.stream.resume();
  }

  private readonly onData = (chunk: Buffer): void => {
    this.pending.push(chunk);
    this.size += chunk.length;
    if (this.size >= pendingLimit) this.stream.pause();
    this.wake?.();
  };

  private end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.wake?.();
  }
}

/** The messages of a stream, in order. */
export async function* messagesOf(incoming: Incoming): AsyncGenerator<Uint8Array> {
  const reader = new FrameReader();
  try {
    for (let chunks = await incoming.take(); chunks; chunks = await incoming.take())
      for (const chunk of chunks) yield* reader.push(chunk);
    if (!reader.whole) throw new GrpcError(codes.internal, "grpc: the stream ends within a message");
  } finally {
    incoming.drop();
  }
}
