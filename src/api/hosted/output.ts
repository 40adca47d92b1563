import type { Duplex } from "node:stream";
import { exitFrame, ownProcessFrame } from "../../lib/wire/hosted-command.ts";
import { frame } from "../../lib/wire/multiplex.ts";

/** Text that becomes bytes at a time, characters. */
const pieceLength = 16 << 10;

interface Piece {
  stream: number;
  data: string | Uint8Array;
}

/**
 * The output of a hosted command on its way to the client. It is held back until the command ends or has changed something,
 * for until then its caller may still be told to run it in a process of its own; and it becomes bytes at the client's pace.
 */
export class CommandOutput {
  private queue: Piece[] = [];
  private held = true;
  private ended = false;
  private pouring = false;
  private socket: Duplex | undefined;
  private readonly asked = Promise.withResolvers<void>();
  private readonly taken = Promise.withResolvers<void>();
  private readonly left = Promise.withResolvers<void>();

  /** Resolves when the connection is to become the command's. */
  get wanted(): Promise<void> {
    return this.asked.promise;
  }

  /** Resolves when all has been handed over, or the client is gone. */
  get delivered(): Promise<void> {
    return this.left.promise;
  }

  /** Wants the connection; resolves when it is the command's, or gone. */
  begin(): Promise<void> {
    this.asked.resolve();
    return this.taken.promise;
  }

  write(stream: 1 | 2, data: string | Uint8Array): void {
    this.queue.push({ stream, data });
    if (!this.held) void this.pour();
  }

  /** From now on output goes out as it comes. */
  release(): void {
    this.held = false;
    void this.pour();
  }

  end(code: number): void {
    this.queue.push({ stream: exitFrame, data: new Uint8Array([code & 0xff]) });
    this.close();
  }

  /** The client runs the command itself: what this one had to say is dropped. */
  giveBack(): void {
    this.queue = [{ stream: ownProcessFrame, data: new Uint8Array(0) }];
    this.close();
  }

  take(socket: Duplex): void {
    this.socket = socket;
    // Nothing is expected from the client but its end, which is read as such only where all is read.
    socket.on("end", () => socket.destroy());
    socket.resume();
    this.taken.resolve();
    if (!this.held) void this.pour();
  }

  /** The client is gone before its connection was the command's: nobody waits for that any more. */
  abandon(): void {
    this.taken.resolve();
    this.left.resolve();
  }

  private close(): void {
    this.ended = true;
    this.asked.resolve();
    this.release();
  }

  private async pour(): Promise<void> {
    const { socket } = this;
    if (!socket || this.pouring) return;
    this.pouring = true;
    for (let bytes = this.next(); bytes && !socket.destroyed; bytes = this.next())
      if (!socket.write(bytes)) await drained(socket);
    this.pouring = false;
    if (!this.ended) return;
    socket.end();
    this.left.resolve();
  }

  /** Some of what waits, as frames. */
  private next(): Uint8Array | undefined {
    const frames: Uint8Array[] = [];
    let length = 0;
    while (length < pieceLength) {
      const [first] = this.queue;
      if (!first) break;
      const { stream, data } = first;
      const end = cut(data);
      if (end < data.length) this.queue[0] = { stream, data: rest(data, end) };
      else this.queue.shift();
      frames.push(
        frame(stream, typeof data === "string" ? Buffer.from(data.slice(0, end)) : data.subarray(0, end)),
      );
      length += end;
    }
    return frames.length === 0 ? undefined : frames.length === 1 ? frames[0] : Buffer.concat(frames);
  }
}

const rest = (data: string | Uint8Array, from: number): string | Uint8Array =>
  typeof data === "string" ? data.slice(from) : data.subarray(from);

/** Where a piece ends; a character of two halves stays whole. */
function cut(data: string | Uint8Array): number {
  if (data.length <= pieceLength || typeof data !== "string") return Math.min(data.length, pieceLength);
  const last = data.charCodeAt(pieceLength - 1);
  return last >= 0xd800 && last < 0xdc00 ? pieceLength - 1 : pieceLength;
}

/** Also resolves when the client is gone. */
const drained = (socket: Duplex): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
    if (socket.destroyed) done();
  });
