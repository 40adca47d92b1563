import { fstatSync } from "node:fs";
import { decodeAttributes, type NetlinkRequest } from "../netlink/codec.ts";
import { NETLINK_SOCK_DIAG, NetlinkSocket } from "../netlink/socket.ts";

// linux/sock_diag.h, linux/unix_diag.h
const SOCK_DIAG_BY_FAMILY = 20;
const AF_UNIX = 1;
const anyState = 0xffffffff;
const anyCookie = 0xffffffff;
const UDIAG_SHOW_PEER = 4;
const UNIX_DIAG_PEER = 2;
const messageSize = 16;

/** opened once: the kernel answers within the call, in some 20 µs */
let diag: NetlinkSocket | undefined;

/**
 * Whether a connected unix socket was accepted at its other end: until then that end has no inode. A kernel without
 * CONFIG_UNIX_DIAG cannot tell, and throws its SystemError.
 */
export function isAccepted(fd: number): boolean {
  diag ??= new NetlinkSocket(NETLINK_SOCK_DIAG);
  const body = Buffer.alloc(24); // struct unix_diag_req
  body[0] = AF_UNIX;
  body.writeUInt32LE(anyState, 4);
  body.writeUInt32LE(fstatSync(fd).ino, 8);
  body.writeUInt32LE(UDIAG_SHOW_PEER, 12);
  body.writeUInt32LE(anyCookie, 16);
  body.writeUInt32LE(anyCookie, 20);
  const request: NetlinkRequest = {
    what: "ask for a socket's other end",
    type: SOCK_DIAG_BY_FAMILY,
    flags: 0,
    body,
    attributes: [],
  };
  const [answer] = diag.query(request);
  if (answer === undefined) return false;
  return (
    (decodeAttributes(answer.payload.subarray(messageSize)).get(UNIX_DIAG_PEER)?.readUInt32LE(0) ?? 0) !== 0
  );
}
