import { ptr } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import { sealedFile } from "../files/sealed-file.ts";
import { bindLibc, check, cString } from "../libc.ts";

/**
 * Datagrams to a unix socket (syslog's, journald's), which neither `node:dgram` nor Bun send. Sending does not block:
 * `EAGAIN` says that the receiver is behind. Layouts: unix(7), sendmsg(2), cmsg(3).
 */
const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
});

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
/** bytes of `sun_path`, its closing NUL included */
const pathSize = 108;

export class DatagramSocket {
  private readonly fd: number;
  private readonly path: string;

  private constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
  }

  /** However long the path. Throws SystemError (`ENOENT`, `ECONNREFUSED`, `EPROTOTYPE`). */
  static connect(path: string): DatagramSocket {
    const folder = openSync(dirname(path), constants.O_DIRECTORY | constants.O_RDONLY);
    try {
      const address = Buffer.alloc(2 + pathSize);
      address.writeUInt16LE(AF_UNIX, 0);
      cString(`/proc/self/fd/${folder}/${basename(path)}`).copy(address, 2);
      const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
      try {
        check(libc.connect(fd, ptr(address), address.length), `connect ${path}`);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      return new DatagramSocket(fd, path);
    } finally {
      closeSync(folder);
    }
  }

  /** Throws SystemError: `EAGAIN` = later, `EMSGSIZE` = too long for one datagram. */
  send(bytes: Uint8Array): void {
    check(Number(libc.send(this.fd, ptr(bytes), bytes.length, MSG_NOSIGNAL)), `send to ${this.path}`);
  }

  /** Hands the bytes over as a sealed file in memory, for what is too long (journald's protocol). */
  sendAsFile(bytes: Uint8Array): void {
    const file = sealedFile("log-entry", bytes);
    try {
      const control = Buffer.alloc(24);
      control.writeBigUInt64LE(20n, 0); // cmsg_len: header and one descriptor
      control.writeInt32LE(SOL_SOCKET, 8);
      control.writeInt32LE(SCM_RIGHTS, 12);
      control.writeInt32LE(file, 16);
      const message = Buffer.alloc(56);
      message.writeBigUInt64LE(BigInt(ptr(control)), 32);
      message.writeBigUInt64LE(BigInt(control.length), 40);
      check(Number(libc.sendmsg(this.fd, ptr(message), MSG_NOSIGNAL)), `send to ${this.path}`);
    } finally {
      closeSync(file);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
