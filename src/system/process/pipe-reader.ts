import { ptr } from "bun:ffi";
import { closeSync, readSync } from "node:fs";
import { bindLibc, check } from "../libc.ts";

/**
 * Reads pipes on the main thread, and no faster than their bytes are taken. Bun's own readers of a pipe take all there is,
 * however slow the one who wants it, and what it makes for a child's output is no pipe but a socket, which the child cannot
 * open again as /dev/stdout. So the kernel tells us by SIGIO that some pipe has something (O_ASYNC, fcntl(2)); the signal goes
 * to this thread alone. One poll(2) then says which, and each of those gives one piece a round, until none has anything.
 */
const libc = bindLibc({
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "u64"], returns: "i32" },
  gettid: { args: [], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
});

// asm-generic/fcntl.h, the same on x86_64 and aarch64
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const tellBySignal = 0o20000; // O_ASYNC
const setFlags = 4; // F_SETFL
const setOwner = 15; // F_SETOWN_EX
const thread = 0; // F_OWNER_TID
const bytesInside = 0x541b; // FIONREAD, ioctl_pipe(2)
const readable = 1; // POLLIN; an end or an error is told in any case

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
type PipedFds = readonly [input: number, out: number, err: number];

/** Starts a child with an empty input; gives it with the reading ends of its output. Its ends are closed here in any case. */
export function startPiped<Child>(start: (fds: PipedFds) => Child): {
  child: Child;
  pipes: readonly [out: number, err: number];
} {
  const ours: number[] = [];
  const childs: number[] = [];
  const pipe = (): number => {
    const { read, write } = makePipe();
    ours.push(read);
    childs.push(write);
    return write;
  };
  try {
    const input = endedPipe();
    childs.push(input);
    const child = start([input, pipe(), pipe()]);
    const [out = -1, err = -1] = ours;
    return { child, pipes: [out, err] };
  } catch (error) {
    for (const fd of ours) closeSync(fd);
    throw error;
  } finally {
    for (const fd of childs) closeSync(fd);
  }
}

/** read of one pipe before it is the next one's turn */
const pieceSize = 64 << 10;
/** read of all pipes before it is the turn of whatever else the engine has to do */
const roundSize = 1 << 20;
const scratch = Buffer.allocUnsafe(pieceSize);
/** in the order of their turns */
const open = new Set<PipeReader>();
let listening = false;

export class PipeReader {
  /** resolves when the pipe has ended, or was given up, and all that was read is handed on */
  readonly ended: Promise<void>;
  readonly fd: number;
  private readonly take: (bytes: Buffer) => void;
  private readonly settle: { resolve(): void; reject(error: unknown): void };
  private held = false;
  /** bytes to be read before the end; without end while the writer lives */
  private left = Number.POSITIVE_INFINITY;

  /** Owns the descriptor from here on. `take` copies of the bytes what it keeps; it may pause the reader. */
  constructor(fd: number, take: (bytes: Buffer) => void) {
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
    later(); // what came before that was not told
  }

  get paused(): boolean {
    return this.held;
  }

  /** Nothing once the writer is gone: what is left is no more than a pipe holds. */
  pause(): void {
    if (this.left === Number.POSITIVE_INFINITY) this.held = true;
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    later();
  }

  /** Nobody writes any more who matters: takes what is in the pipe now and ends, though others may hold it open. */
  finish(): Promise<void> {
    if (!open.has(this) || this.left !== Number.POSITIVE_INFINITY) return this.ended;
    const inside = new Int32Array(1);
    check(libc.ioctl(this.fd, bytesInside, ptr(inside)), "ask what a pipe holds");
    this.left = inside[0] ?? 0;
    this.resume();
    if (this.left === 0) this.close();
    return this.ended;
  }

  /** Stops at once; what is still in the pipe is lost, and its writers get EPIPE. */
  close(): void {
    if (!open.delete(this)) return;
    closeSync(this.fd);
    this.settle.resolve();
  }

  /** Reads one piece; gives its size. */
  readPiece(): number {
    const count = this.read();
    if (count === undefined) return 0;
    if (count > 0) this.take(scratch.subarray(0, count));
    this.left -= count;
    if (count === 0 || this.left <= 0) this.close();
    return count;
  }

  /** How many bytes are in `scratch`; 0 at the end, `undefined` while there is nothing. */
  private read(): number | undefined {
    try {
      return readSync(this.fd, scratch, 0, Math.min(pieceSize, this.left), null);
    } catch (error) {
      if ((error as { code?: unknown }).code === "EAGAIN") return undefined;
      open.delete(this);
      closeSync(this.fd);
      this.settle.reject(error);
      return undefined;
    }
  }
}

/** The handler stays: without one the signal would end the engine. */
function listen(): void {
  if (listening) return;
  listening = true;
  process.on("SIGIO", round);
}

let waiting = false;

function later(): void {
  if (waiting) return;
  waiting = true;
  setImmediate(() => {
    waiting = false;
    round();
  });
}

/** One piece of each pipe that has something; those that had no turn come first the next time. */
function round(): void {
  const ready = readyPipes();
  let size = 0;
  for (const reader of ready) {
    if (size >= roundSize) break;
    if (!open.delete(reader)) continue; // closed by another's taker
    open.add(reader);
    if (!reader.paused) size += reader.readPiece();
  }
  if (ready.length > 0) later();
}

/** `struct pollfd`: the descriptor, then what is asked (2 bytes) and what is told (2 bytes) */
let polled = new Int32Array(2 * 64);

function readyPipes(): PipeReader[] {
  const asked = [...open].filter((reader) => !reader.paused);
  if (asked.length === 0) return asked;
  if (polled.length < 2 * asked.length) polled = new Int32Array(4 * asked.length);
  for (const [index, { fd }] of asked.entries()) {
    polled[2 * index] = fd;
    polled[2 * index + 1] = readable;
  }
  const count = libc.poll(ptr(polled), asked.length, 0);
  // interrupted: each is tried
  return count < 0 ? asked : asked.filter((_, index) => (polled[2 * index + 1] ?? 0) >>> 16 !== 0);
}
