import { ptr } from "bun:ffi";
import { closeSync, readSync } from "node:fs";
import { bindLibc, check } from "./libc.ts";

/**
 * Reads pipes on the main thread, and no faster than their bytes are taken. Bun's own readers of a pipe take all there is,
 * however slow the one who wants it, and what it makes for a child's output is no pipe but a socket, which the child cannot
 * open again as /dev/stdout. So the kernel tells us by SIGIO that a pipe has something (O_ASYNC, fcntl(2)), the signal goes
 * to this thread alone, and whatever pipes are open are then read until they are empty.
 */
const libc = bindLibc({
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "u64"], returns: "i32" },
  gettid: { args: [], returns: "i32" },
});

// asm-generic/fcntl.h, the same on x86_64 and aarch64
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const tellBySignal = 0o20000; // O_ASYNC
const setFlags = 4; // F_SETFL
const setOwner = 15; // F_SETOWN_EX
const thread = 0; // F_OWNER_TID

/** Both ends of a new pipe, which no other child inherits. The reader closes its own; whoever spawned closes `write`. */
export function makePipe(): { read: number; write: number } {
  const ends = new Int32Array(2);
  check(libc.pipe2(ptr(ends), closeOnExec), "make a pipe");
  const [read = -1, write = -1] = ends;
  return { read, write };
}

/** The reading end of a pipe nobody writes into: an empty input. */
function endedPipe(): number {
  const { read, write } = makePipe();
  closeSync(write);
  return read;
}

/** A child's descriptors 0 to 2: an input that is empty, and the writing ends of two pipes. */
export type PipedFds = readonly [input: number, out: number, err: number];

/** Starts a child with an empty input; gives it with the reading ends of its output. Its ends are closed here in any case. */
export function startPiped<Child>(start: (fds: PipedFds) => Child): {
  child: Child;
  pipes: readonly [out: number, err: number];
} {
  const input = endedPipe();
  const [out, err] = [makePipe(), makePipe()];
  try {
    return { child: start([input, out.write, err.write]), pipes: [out.read, err.read] };
  } catch (error) {
    closeSync(out.read);
    closeSync(err.read);
    throw error;
  } finally {
    for (const fd of [input, out.write, err.write]) closeSync(fd);
  }
}

const pieceSize = 64 << 10;
/** read of one pipe before it is the turn of whatever else the engine has to do */
const roundSize = 1 << 20;
const scratch = Buffer.allocUnsafe(pieceSize);
const open = new Set<PipeReader>();
let listening = false;

export class PipeReader {
  /** resolves when the pipe has ended, or was given up, and all that was read is handed on */
  readonly ended: Promise<void>;
  private readonly fd: number;
  private readonly take: (bytes: Uint8Array) => void;
  private readonly settle: { resolve(): void; reject(error: unknown): void };
  private paused = false;
  private finishing = false;
  private again = false;

  /** Owns the descriptor from here on. `take` keeps the bytes; it may pause the reader. */
  constructor(fd: number, take: (bytes: Uint8Array) => void) {
    this.fd = fd;
    this.take = take;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ended = promise;
    promise.catch(() => undefined); // told to whoever waits for the end, which may be later
    this.settle = { resolve, reject };
    listen();
    open.add(this);
    check(libc.fcntl(fd, setOwner, ptr(new Int32Array([thread, libc.gettid()]))), "own a pipe's signals");
    check(libc.fcntl(fd, setFlags, nonBlocking | tellBySignal), "have a pipe tell by signal");
    this.later(); // what came before that was not told
  }

  /** Nothing once the writer is gone: what is left is no more than a pipe holds. */
  pause(): void {
    if (!this.finishing) this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.later();
  }

  /** Nobody writes any more who matters: takes what is in the pipe and ends, though others may hold it open. */
  finish(): Promise<void> {
    this.finishing = true;
    this.paused = false;
    this.later();
    return this.ended;
  }

  /** Stops at once; what is still in the pipe is lost, and its writers get EPIPE. */
  close(): void {
    if (!open.delete(this)) return;
    closeSync(this.fd);
    this.settle.resolve();
  }

  /** Reads until the pipe is empty, has ended, or was paused. */
  drain(): void {
    let size = 0;
    while (size < roundSize && !this.paused && open.has(this)) {
      const count = this.read();
      if (count === 0 || (count === undefined && this.finishing)) this.close();
      if (!count) return;
      size += count;
      this.take(Uint8Array.prototype.slice.call(scratch, 0, count));
    }
    if (size < roundSize) return;
    // a pipe holds no more than that: what comes on top was written after the end
    if (this.finishing) this.close();
    else this.later();
  }

  /** How many bytes are in `scratch`; 0 at the end, `undefined` while there is nothing. */
  private read(): number | undefined {
    try {
      return readSync(this.fd, scratch);
    } catch (error) {
      if ((error as { code?: unknown }).code === "EAGAIN") return undefined;
      open.delete(this);
      closeSync(this.fd);
      this.settle.reject(error);
      return undefined;
    }
  }

  private later(): void {
    if (this.again) return;
    this.again = true;
    setImmediate(() => {
      this.again = false;
      this.drain();
    });
  }
}

/** The handler stays: without one the signal would end the engine. */
function listen(): void {
  if (listening) return;
  listening = true;
  process.on("SIGIO", () => {
    for (const reader of open) reader.drain();
  });
}
