import {
  NLA_F_NESTED,
  NLA_TYPE_MASK,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSGERR_ATTR_MSG,
} from "./constants.ts";

/**
 * Netlink's bytes (netlink(7)): headers of 16 bytes, attributes of type, length and value, all padded to four.
 * The kernel's byte order is the machine's: little-endian on x86_64 and aarch64.
 */
export type Attribute = readonly [type: number, value: Uint8Array | readonly Attribute[]];

export interface NetlinkRequest {
  /** what it does, for messages: "create veth x" */
  what: string;
  type: number;
  /** beside REQUEST and ACK, which every request carries */
  flags: number;
  /** the family's fixed structure */
  body: Uint8Array;
  attributes: readonly Attribute[];
}

export interface NetlinkMessage {
  type: number;
  flags: number;
  sequence: number;
  payload: Buffer;
}

interface NetlinkAnswer {
  sequence: number;
  /** 0, or the errno */
  errno: number;
  /** the kernel's own words (extended ack), often empty */
  reason: string;
}

const headerSize = 16;
const align = (size: number): number => (size + 3) & ~3;

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** A NUL-terminated name. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(attributes.map(encodeAttribute));
}

function encodeAttribute([type, value]: Attribute): Buffer {
  const nested = Array.isArray(value);
  const bytes = nested ? encodeAttributes(value) : (value as Uint8Array);
  const out = Buffer.alloc(align(4 + bytes.length));
  out.writeUInt16LE(4 + bytes.length, 0);
  out.writeUInt16LE(nested ? type | NLA_F_NESTED : type, 2);
  out.set(bytes, 4);
  return out;
}

/** The bytes of several requests in one packet; the first has `sequence`, each next one more. */
export function encodeBatch(
  requests: readonly NetlinkRequest[],
  sequence: number,
  flags = NLM_F_ACK,
): Buffer {
  const messages = requests.map((request, index) => {
    const body = Buffer.concat([request.body, encodeAttributes(request.attributes)]);
    const out = Buffer.alloc(align(headerSize + body.length));
    out.writeUInt32LE(headerSize + body.length, 0);
    out.writeUInt16LE(request.type, 4);
    out.writeUInt16LE(request.flags | NLM_F_REQUEST | flags, 6);
    out.writeUInt32LE(sequence + index, 8);
    out.set(body, headerSize);
    return out;
  });
  return Buffer.concat(messages);
}

/** The messages of one received packet; a length that does not fit ends the reading. */
export function decodeMessages(packet: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + headerSize <= packet.length; ) {
    const length = packet.readUInt32LE(at);
    if (length < headerSize || at + length > packet.length) break;
    messages.push({
      type: packet.readUInt16LE(at + 4),
      flags: packet.readUInt16LE(at + 6),
      sequence: packet.readUInt32LE(at + 8),
      payload: packet.subarray(at + headerSize, at + length),
    });
    at += align(length);
  }
  return messages;
}

export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) break;
    attributes.set(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

/** What an NLMSG_ERROR or NLMSG_DONE message says; `undefined` for any other. */
export function decodeAnswer(message: NetlinkMessage): NetlinkAnswer | undefined {
  const { type, flags, sequence, payload } = message;
  if (type !== NLMSG_ERROR && type !== NLMSG_DONE) return undefined;
  const errno = payload.length >= 4 ? Math.abs(payload.readInt32LE(0)) : 0;
  if (type === NLMSG_DONE || !(flags & NLM_F_ACK_TLVS) || payload.length < 4 + headerSize)
    return { sequence, errno, reason: "" };
  const echoed = flags & NLM_F_CAPPED ? headerSize : align(payload.readUInt32LE(4));
  const reason = decodeAttributes(payload.subarray(4 + echoed)).get(NLMSGERR_ATTR_MSG);
  return { sequence, errno, reason: reason?.toString("utf8").replace(/\0+$/, "") ?? "" };
}

/** The text of a NUL-terminated attribute. */
export const textOf = (bytes: Buffer | undefined): string =>
  bytes?.toString("utf8").replace(/\0.*$/s, "") ?? "";
