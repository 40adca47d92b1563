import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { bindLibc, check, errno } from "../libc.ts";
import { type Endpoint, familyOf, socketAddress } from "./address.ts";

/**
 * Non-blocking TCP and UDP sockets by descriptor, for a thread that runs its own `Poller`. A socket belongs to the
 * network namespace in which the thread is when it makes it (network_namespaces(7)).
 */
const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
});

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const EAGAIN = 11;
const EINPROGRESS = 115;

/** What `receive` and `send` say when nothing can be done now, and when the connection is broken. */
export const again = -1;
export const broken = -2;

function open(endpoint: Endpoint, type: number, prepare: (fd: number, address: Buffer) => void): number {
  const fd = check(libc.socket(familyOf(endpoint), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  try {
    prepare(fd, socketAddress(endpoint));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

const what = (verb: string, { address, port }: Endpoint): string => `${verb} ${address} port ${port}`;

/**
 * A UDP socket that receives from anyone. `waitingMax` bytes may wait in it, whatever the host's `rmem_max` says; the kernel
 * counts 768 of twice that for a small datagram (socket(7)).
 */
export const bindUdp = (endpoint: Endpoint, waitingMax?: number): number =>
  open(endpoint, SOCK_DGRAM, (fd, address) => {
    if (waitingMax !== undefined) {
      const size = new Int32Array([waitingMax]);
      // the right to go beyond `rmem_max` is the host's own root's; where we are not, as much as there is must do
      if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, ptr(size), 4) !== 0)
        check(libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, ptr(size), 4), "size a socket's buffer");
    }
    check(libc.bind(fd, ptr(address), address.length), what("bind", endpoint));
  });

/** A UDP socket that receives from one, and learns of its refusals; its own port is the kernel's random choice. */
export const connectUdp = (endpoint: Endpoint): number =>
  open(endpoint, SOCK_DGRAM, (fd, address) => {
    check(libc.connect(fd, ptr(address), address.length), what("connect to", endpoint));
  });

export const listenTcp = (endpoint: Endpoint, backlog: number): number =>
  open(endpoint, SOCK_STREAM, (fd, address) => {
    check(libc.bind(fd, ptr(address), address.length), what("bind", endpoint));
    check(libc.listen(fd, backlog), what("listen on", endpoint));
  });

/** Begins to connect; the socket takes bytes once it has, and `send` says `broken` if it could not. */
export const beginTcp = (endpoint: Endpoint): number =>
  open(endpoint, SOCK_STREAM, (fd, address) => {
    const result = libc.connect(fd, ptr(address), address.length);
    if (result < 0 && errno() !== EINPROGRESS) check(result, what("connect to", endpoint));
  });

/** The next connection, if one waits. */
export function acceptTcp(listener: number): number | undefined {
  const fd = libc.accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 ? undefined : fd;
}

/** The port the kernel chose. */
export function portOf(fd: number): number {
  const address = Buffer.alloc(28);
  const length = new Uint32Array([address.length]);
  check(libc.getsockname(fd, ptr(address), ptr(length)), "getsockname");
  return address.readUInt16BE(2);
}

/** Bytes received into `buffer` (0: the other side has ended), or `again`, or `broken`. */
export function receive(fd: number, buffer: Uint8Array): number {
  const count = Number(libc.recv(fd, ptr(buffer), buffer.length, 0));
  if (count >= 0) return count;
  return errno() === EAGAIN ? again : broken;
}

/** Bytes taken, or `again`, or `broken`. */
export function send(fd: number, bytes: Uint8Array): number {
  const count = Number(libc.send(fd, ptr(bytes), bytes.length, MSG_NOSIGNAL));
  if (count >= 0) return count;
  return errno() === EAGAIN ? again : broken;
}
