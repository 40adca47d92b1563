import { ptr } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Socket } from "bun";
import { bindLibc, check, cString } from "../libc.ts";

/**
 * Sockets that neither `node:net` nor Bun open by themselves. A connected descriptor, of whatever type, is then given
 * to Bun's event loop with `adoptSocket`: `recv` on a SEQPACKET socket gives one packet a call, so packets keep their
 * borders. Constants and layouts: unix(7), socket(2).
 */
const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
});

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
/** bytes of `sun_path`, its closing NUL included */
const pathSize = 108;

/** A connected pair for talking to a child: `ours` is non-blocking; pass `theirs` to the child, then close it. */
export function socketPair(): { ours: number; theirs: number } {
  const pair = new Int32Array(2);
  check(libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ptr(pair)), "socketpair");
  return { ours: pair[0] ?? -1, theirs: pair[1] ?? -1 };
}

/** Connects to a SEQPACKET socket in the file system, however long its path. Throws SystemError (`ENOENT`, …). */
export function connectSeqpacket(path: string): number {
  const folder = openSync(dirname(path), constants.O_DIRECTORY | constants.O_RDONLY);
  try {
    const short = cString(`/proc/self/fd/${folder}/${basename(path)}`);
    const address = Buffer.alloc(2 + pathSize);
    address.writeUInt16LE(AF_UNIX, 0);
    short.copy(address, 2);
    const fd = check(libc.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    try {
      check(libc.connect(fd, ptr(address), address.length), `connect ${path}`);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  } finally {
    closeSync(folder);
  }
}

interface SocketEvents {
  /** `bytes` is the receiver's to keep */
  data(bytes: Buffer): void;
  /** the socket takes bytes again after a short write */
  drain?(): void;
  /** nothing more will come; called once */
  end(): void;
}

/** What is used of Bun's socket. `write` returns the bytes taken (0 when full) and less than 0 when it is closed. */
export type AdoptedSocket = Pick<Socket, "write" | "pause" | "resume" | "shutdown" | "end">;

/** Gives a connected descriptor to the event loop, which closes it. */
export async function adoptSocket(fd: number, events: SocketEvents): Promise<AdoptedSocket> {
  let ended = false;
  const end = (): void => {
    if (!ended) events.end();
    ended = true;
  };
  const handlers = {
    data: (_socket: unknown, bytes: Buffer) => events.data(bytes),
    drain: () => events.drain?.(),
    close: end,
    error: end,
  };
  // `fd` is accepted by Bun.connect but missing from its types
  return await Bun.connect({ fd, socket: handlers } as unknown as Parameters<typeof Bun.connect>[0]);
}
