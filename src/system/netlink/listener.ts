import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { bindLibc, check } from "../libc.ts";
import { type AdoptedSocket, adoptSocket } from "../sockets/sockets.ts";
import type { NetlinkProtocol } from "./socket.ts";

/**
 * Hears what the kernel tells everyone of its changes (netlink(7), multicast groups), on the main thread and without
 * blocking. What waits to be heard is bounded by the socket's buffer: what does not fit is lost, and that some was lost is told.
 */
const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
});

const AF_NETLINK = 16;
const rawNonBlocking = 3 | 0o4000 | 0o2000000; // SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_ATTACH_FILTER = 26;
const SO_MEMINFO = 55;
const SOL_NETLINK = 270;
/** a full buffer is no error of the socket, which would end it */
const NETLINK_NO_ENOBUFS = 5;
const MSG_DONTWAIT = 0x40;
/** bytes of kernel memory that may wait: some hundred packets */
const waiting = 1 << 20;
/** no message of a group is longer */
const packet = Buffer.allocUnsafeSlow(64 << 10);

interface ListenerOptions {
  protocol: NetlinkProtocol;
  /** 1 to 32 */
  group: number;
  /** messages of another kind do not wake us: the type, and the first byte of what follows the header */
  only?: { type: number; family: number };
  /** one packet; its memory is the listener's */
  heard(packet: Buffer): void;
  /** the socket has ended: nothing is heard any more */
  ended(): void;
}

export class NetlinkListener {
  private readonly fd: number;
  private readonly heard: (packet: Buffer) => void;
  private socket: AdoptedSocket | undefined;
  private open = true;
  private drops = 0;

  private constructor(fd: number, heard: (packet: Buffer) => void) {
    this.fd = fd;
    this.heard = heard;
  }

  /** Listens in the namespace of the calling thread. Throws SystemError where the kernel has no such group, or only for others. */
  static async open({ protocol, group, only, heard, ended }: ListenerOptions): Promise<NetlinkListener> {
    const fd = check(libc.socket(AF_NETLINK, rawNonBlocking, protocol), "open netlink socket");
    const listener = new NetlinkListener(fd, heard);
    try {
      const one = Buffer.of(1, 0, 0, 0);
      check(libc.setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, ptr(one), 4), "set netlink option");
      const room = new Uint32Array([waiting]);
      check(libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, ptr(room), 4), "set netlink buffer");
      if (only) attachFilter(fd, filterFor(only));
      const address = Buffer.alloc(12);
      address.writeUInt16LE(AF_NETLINK, 0);
      address.writeUInt32LE(2 ** (group - 1), 8);
      check(libc.bind(fd, ptr(address), address.length), "join netlink group");
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    const end = (): void => {
      listener.open = false;
      ended();
    };
    listener.socket = await adoptSocket(fd, { data: heard, end });
    return listener;
  }

  /** What comes now waits for `drain`: nothing is done for it. */
  pause(): void {
    this.socket?.pause();
  }

  /** Hands on all that waits, and listens again. True = some was lost since it was asked last. */
  drain(): boolean {
    if (!this.open) return false;
    for (;;) {
      const size = Number(libc.recv(this.fd, ptr(packet), packet.length, MSG_DONTWAIT));
      if (size <= 0) break;
      this.heard(packet.subarray(0, size));
    }
    const before = this.drops;
    this.drops = dropsOf(this.fd);
    this.socket?.resume();
    return this.drops !== before;
  }

  close(): void {
    this.open = false;
    this.socket?.end();
  }
}

/** How many packets did not fit: the ninth number (SK_MEMINFO_DROPS); 0 where the kernel does not tell. */
function dropsOf(fd: number): number {
  const numbers = new Uint32Array(9);
  const size = new Uint32Array([numbers.byteLength]);
  const told = libc.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, ptr(numbers), ptr(size));
  return told < 0 ? 0 : (numbers[8] ?? 0);
}

/** Instructions of a socket's filter (linux/filter.h): operation, where to go if it holds and if not, operand. */
type Instruction = readonly [code: number, yes: number, no: number, operand: number];

/** Numbers are loaded in the network's byte order; netlink's are the machine's. */
const filterFor = ({ type, family }: { type: number; family: number }): Instruction[] => [
  [0x28, 0, 0, 4], // load 16 bits: the type
  [0x15, 0, 3, ((type & 0xff) << 8) | (type >>> 8)],
  [0x30, 0, 0, 16], // load 8 bits
  [0x15, 0, 1, family],
  [0x06, 0, 0, 0xffffffff], // keep all of it
  [0x06, 0, 0, 0], // keep nothing
];

function attachFilter(fd: number, program: readonly Instruction[]): void {
  const code = Buffer.alloc(8 * program.length);
  for (const [index, [operation, yes, no, operand]] of program.entries()) {
    code.writeUInt16LE(operation, 8 * index);
    code.writeUInt8(yes, 8 * index + 2);
    code.writeUInt8(no, 8 * index + 3);
    code.writeUInt32LE(operand, 8 * index + 4);
  }
  const head = Buffer.alloc(16);
  head.writeUInt16LE(program.length, 0);
  head.writeBigUInt64LE(BigInt(ptr(code)), 8);
  check(libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, ptr(head), head.length), "filter netlink socket");
}
