import { ptr } from "bun:ffi";
import { bindLibc } from "../libc.ts";

/**
 * Datagrams received a batch at a time (recvmmsg(2)), so that a system call is shared by those that wait; an answer
 * goes out by itself, at once. One batch serves all sockets of a thread in turn.
 */
const libc = bindLibc({
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
});

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const headerSize = 64; // struct mmsghdr on 64-bit machines
const vectorSize = 16;
const addressSize = 16; // struct sockaddr_in

export class UdpBatch {
  private readonly count: number;
  private readonly size: number;
  private readonly headers: Buffer;
  private readonly addresses: Buffer;
  private readonly data: Buffer;

  /** `count` datagrams of at most `size` bytes each (a longer one is cut); IPv4. */
  constructor(count: number, size: number) {
    this.count = count;
    this.size = size;
    this.headers = fixed(count * (headerSize + vectorSize));
    this.addresses = fixed(count * addressSize);
    this.data = fixed(count * size);
    this.layOut();
  }

  /** How many came; 0 when none waits or the socket is broken. They stay until the next call. */
  receive(fd: number): number {
    for (let index = 0; index < this.count; index++)
      this.headers.writeUInt32LE(addressSize, index * headerSize + 8);
    return Math.max(0, libc.recvmmsg(fd, ptr(this.headers), this.count, MSG_DONTWAIT, null));
  }

  /** The bytes of a received datagram: a view until the next `receive`. */
  datagram(index: number): Buffer {
    const length = this.headers.readUInt32LE(index * headerSize + 56);
    return this.data.subarray(index * this.size, index * this.size + length);
  }

  /** Who sent it, for `sendTo`: a view until the next `receive`. */
  sender(index: number): Buffer {
    return this.addresses.subarray(index * addressSize, (index + 1) * addressSize);
  }

  /** msg_hdr {name, namelen, iov, iovlen, control, controllen, flags} and msg_len: sendmmsg(2), recvmsg(2). */
  private layOut(): void {
    const { headers, count } = this;
    const vectors = count * headerSize;
    const [start, names, data] = [headers, this.addresses, this.data].map((bytes) => BigInt(ptr(bytes)));
    for (let index = 0; index < count; index++) {
      const header = index * headerSize;
      const vector = vectors + index * vectorSize;
      headers.writeBigUInt64LE((names ?? 0n) + BigInt(index * addressSize), header);
      headers.writeBigUInt64LE((start ?? 0n) + BigInt(vector), header + 16);
      headers.writeBigUInt64LE(1n, header + 24);
      headers.writeBigUInt64LE((data ?? 0n) + BigInt(index * this.size), vector);
      headers.writeBigUInt64LE(BigInt(this.size), vector + 8);
    }
  }
}

/** Memory that stays where it is: a small typed array's moves when a view of it is made. */
const fixed = (size: number): Buffer => Buffer.from(new ArrayBuffer(size));

/** Sends one datagram; one that cannot be sent is lost, as datagrams are. */
export function sendTo(fd: number, bytes: Uint8Array, receiver: Buffer): void {
  libc.sendto(fd, ptr(bytes), bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, ptr(receiver), receiver.length);
}
