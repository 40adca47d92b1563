import { ptr } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { bindLibc, check, SystemError } from "../libc.ts";
import { type AdoptedSocket, adoptSocket } from "./sockets.ts";

/**
 * TCP connections that can begin in another network namespace. A socket belongs to the namespace its maker was in
 * (network_namespaces(7)): the thread goes there for that one call, without giving up control in between.
 */
const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
});

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;
const ownNamespace = "/proc/thread-self/ns/net";
/** how soon a connection under way is looked at, and how seldom in the end */
const soonestMs = 1;
const latestMs = 100;

export interface TcpTarget {
  /** IPv4 */
  address: string;
  port: number;
  /** path of a network namespace; undefined = the engine's own */
  namespace?: string;
}

interface TcpConnection {
  /**
   * Sends, and gathers what comes until `done` makes something of it; undefined when the other side closes before.
   * The caller's `done` bounds what is gathered.
   */
  ask<T>(text: string, done: (bytes: Buffer) => T | undefined, signal: AbortSignal): Promise<T | undefined>;
  close(): void;
}

/** Connects; rejects with SystemError (`ECONNREFUSED`, …), or with the signal's reason. */
export async function connectTcp(target: TcpTarget, signal: AbortSignal): Promise<TcpConnection> {
  const fd = socketIn(target.namespace);
  try {
    const address = socketAddress(target);
    for (let waitMs = soonestMs; !connected(fd, address, target); waitMs = Math.min(waitMs * 2, latestMs)) {
      signal.throwIfAborted();
      await Bun.sleep(waitMs);
    }
    signal.throwIfAborted();
    return new OpenConnection(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function socketIn(namespace: string | undefined): number {
  const open = (): number =>
    check(libc.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  if (namespace === undefined) return open();
  const home = openSync(ownNamespace, "r");
  const there = openSync(namespace, "r");
  try {
    check(libc.setns(there, CLONE_NEWNET), `enter ${namespace}`);
    try {
      return open();
    } finally {
      check(libc.setns(home, CLONE_NEWNET), "return to the own network namespace");
    }
  } finally {
    closeSync(there);
    closeSync(home);
  }
}

/** `struct sockaddr_in`, ip(7). */
function socketAddress({ address, port }: TcpTarget): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  for (const [index, part] of address.split(".").entries()) bytes[4 + index] = Number(part);
  return bytes;
}

/** connect(2) again and again on a non-blocking socket tells how far it is. */
function connected(fd: number, address: Buffer, { port }: TcpTarget): boolean {
  try {
    check(libc.connect(fd, ptr(address), address.length), `connect to port ${port}`);
    return true;
  } catch (error) {
    const code = error instanceof SystemError ? error.code : "";
    if (code === "EISCONN") return true;
    if (code === "EINPROGRESS" || code === "EALREADY") return false;
    throw error;
  }
}

class OpenConnection implements TcpConnection {
  private readonly fd: number;
  private socket: AdoptedSocket | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  async ask<T>(
    text: string,
    done: (bytes: Buffer) => T | undefined,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    const abort = (): void => reject(signal.reason);
    let gathered = Buffer.alloc(0);
    signal.addEventListener("abort", abort, { once: true });
    try {
      this.socket = await adoptSocket(this.fd, {
        data: (bytes) => {
          gathered = Buffer.concat([gathered, bytes]);
          const made = done(gathered);
          if (made !== undefined) resolve(made);
        },
        end: () => resolve(undefined),
      });
      signal.throwIfAborted();
      this.socket.write(Buffer.from(text));
      return await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  close(): void {
    if (this.socket) this.socket.end();
    else closeSync(this.fd);
  }
}
