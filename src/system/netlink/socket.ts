import { constants } from "node:os";
import { EngineError } from "../../lib/errors.ts";
import { bindLibc, check, errno, SystemError } from "../libc.ts";
import {
  decodeAnswer,
  decodeMessages,
  encodeBatch,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./codec.ts";
import { NLM_F_ACK, NLM_F_DUMP } from "./constants.ts";

const libc = bindLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
});

export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_NETFILTER = 12;
export type NetlinkProtocol = typeof NETLINK_ROUTE | typeof NETLINK_SOCK_DIAG | typeof NETLINK_NETFILTER;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** The kernel answers at once; this only ends a wait that a bug would make endless. */
const answerTimeoutSeconds = 5;

const names = new Map<number, string>(
  Object.entries(constants.errno).map(([name, value]) => [value as number, name]),
);

/** What `network` needs of the kernel's rtnetlink; tests pass a recording fake. */
export interface Netlink {
  /** Sends all requests in one packet and waits for every answer; throws the first failure's SystemError. */
  apply(requests: readonly NetlinkRequest[]): void;
  /** The messages that answer one request, but those that are not wanted. */
  query(request: NetlinkRequest, wanted?: (message: NetlinkMessage) => boolean): NetlinkMessage[];
  close(): void;
}

/** A netlink socket of the namespace in which the calling thread was when it was opened. Blocks: Workers only. */
export class NetlinkSocket implements Netlink {
  private readonly fd: number;
  private sequence = 1;
  private readonly buffer = Buffer.alloc(32 * 1024);

  constructor(protocol: NetlinkProtocol = NETLINK_ROUTE) {
    this.fd = check(libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), "open netlink socket");
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(answerTimeoutSeconds));
    const one = Buffer.from([1, 0, 0, 0]);
    check(libc.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16), "set netlink timeout");
    check(libc.setsockopt(this.fd, SOL_NETLINK, NETLINK_CAP_ACK, one, 4), "set netlink option");
    check(libc.setsockopt(this.fd, SOL_NETLINK, NETLINK_EXT_ACK, one, 4), "set netlink option");
  }

  apply(requests: readonly NetlinkRequest[]): void {
    if (requests.length === 0) return;
    const first = this.send(requests, NLM_F_ACK);
    let failure: Error | undefined;
    for (let open = requests.length; open > 0; ) {
      for (const message of this.receive()) {
        const answer = decodeAnswer(message);
        const request = requests[message.sequence - first];
        if (!answer || !request) continue;
        open--;
        if (answer.errno !== 0) failure ??= failed(request, answer.errno, answer.reason);
      }
    }
    if (failure) throw failure;
  }

  query(
    request: NetlinkRequest,
    wanted: (message: NetlinkMessage) => boolean = () => true,
  ): NetlinkMessage[] {
    const dump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
    const sequence = this.send([request], dump ? 0 : NLM_F_ACK);
    const messages: NetlinkMessage[] = [];
    for (;;) {
      for (const message of this.receive()) {
        if (message.sequence !== sequence) continue;
        const answer = decodeAnswer(message);
        if (!answer) {
          if (wanted(message)) messages.push({ ...message, payload: Buffer.from(message.payload) });
        } else if (answer.errno !== 0) throw failed(request, answer.errno, answer.reason);
        else return messages;
      }
    }
  }

  close(): void {
    libc.close(this.fd);
  }

  private send(requests: readonly NetlinkRequest[], flags: number): number {
    const first = this.sequence;
    this.sequence = (this.sequence + requests.length) % 0x7fff0000 || 1;
    const packet = encodeBatch(requests, first, flags);
    check(Number(libc.send(this.fd, packet, packet.length, 0)), "send to netlink");
    return first;
  }

  private receive(): NetlinkMessage[] {
    for (;;) {
      const size = Number(libc.recv(this.fd, this.buffer, this.buffer.length, 0));
      if (size >= 0) return decodeMessages(this.buffer.subarray(0, size));
      const code = errno();
      if (code === constants.errno.EAGAIN)
        throw new EngineError(
          "internal",
          `the kernel did not answer on netlink for ${answerTimeoutSeconds} s`,
        );
      if (code !== constants.errno.EINTR)
        throw new SystemError("receive from netlink", names.get(code) ?? `errno ${code}`);
    }
  }
}

function failed(request: NetlinkRequest, code: number, reason: string): SystemError {
  const what = reason === "" ? request.what : `${request.what}: ${reason}`;
  return new SystemError(what, names.get(code) ?? `errno ${code}`);
}
