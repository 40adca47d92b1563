import { type Query, type } from "./query.ts";

/** Answers to a query, RFC 1035 section 4.1: whole messages, ready to be sent. */
export const rcode = { ok: 0, malformed: 1, serverFailure: 2, notImplemented: 4, refused: 5 } as const;

/** seconds: what Docker's resolver says, and clients hardly keep */
const ttl = 600;
const headerSize = 12;
const optSize = 11;
/** what we take in one datagram, told to EDNS clients */
const ownUdpSize = 4096;
const maskRecursionDesired = 0x0100;
const maskCheckingDisabled = 0x0010;
const maskOpcode = 0x7800;
const response = 0x8000;
const recursionAvailable = 0x0080;
const truncated = 0x0200;

/** The record's data by type: four bytes, sixteen bytes, or a name. */
export interface Answers {
  type: number;
  data: readonly Uint8Array[];
}

/** An answer with these records (none: the name exists, but nothing of that type), cut short to `sizeMax` bytes. */
export function answer(
  query: Query,
  bytes: Uint8Array,
  { type: kind, data }: Answers,
  sizeMax: number,
): Buffer {
  const room = sizeMax - query.questionEnd - (query.edns ? optSize : 0);
  let size = 0;
  let count = 0;
  for (const item of data) {
    if (size + 12 + item.length > room) break;
    size += 12 + item.length;
    count++;
  }
  const cut = count < data.length ? truncated : 0;
  const message = begin(query, bytes, recursionAvailable | cut, size);
  message.writeUInt16BE(count, 6);
  let at = query.questionEnd;
  for (const item of data.slice(0, count)) at = writeRecord(message, at, kind, item);
  return message;
}

/** An answer without records that tells a failure. */
export const failure = (query: Query, bytes: Uint8Array, code: number): Buffer => {
  const message = begin(query, bytes, 0, 0);
  message.writeUInt16BE(message.readUInt16BE(2) | code, 2);
  return message;
};

/** To bytes that are no query we understand: the header alone. */
export function rejection(bytes: Uint8Array, code: number): Buffer {
  const message = Buffer.alloc(headerSize);
  message.set(bytes.subarray(0, 4));
  const flags = message.readUInt16BE(2);
  message.writeUInt16BE(response | (flags & (maskOpcode | maskRecursionDesired)) | code, 2);
  return message;
}

/** Header and question, room for `size` bytes of records, and the OPT record where the client sent one. */
function begin(query: Query, bytes: Uint8Array, flags: number, size: number): Buffer {
  const end = query.questionEnd + size;
  const message = Buffer.alloc(end + (query.edns ? optSize : 0));
  message.set(bytes.subarray(0, query.questionEnd));
  const kept = query.flags & (maskOpcode | maskRecursionDesired | maskCheckingDisabled);
  message.writeUInt16BE(response | kept | flags, 2);
  message.writeUInt16BE(1, 4);
  message.fill(0, 6, headerSize);
  if (query.edns) {
    message.writeUInt16BE(1, 10);
    message.writeUInt16BE(type.OPT, end + 1);
    message.writeUInt16BE(ownUdpSize, end + 3);
  }
  return message;
}

function writeRecord(message: Buffer, start: number, kind: number, data: Uint8Array): number {
  let at = message.writeUInt16BE(0xc000 | headerSize, start); // the question's name
  at = message.writeUInt16BE(kind, at);
  at = message.writeUInt16BE(1, at);
  at = message.writeUInt32BE(ttl, at);
  at = message.writeUInt16BE(data.length, at);
  message.set(data, at);
  return at + data.length;
}

/** A name as a record's data: labels with their lengths. `undefined` for what is no name. */
export function encodeName(name: string): Uint8Array | undefined {
  const labels = name === "" ? [] : name.split(".").map((label) => Buffer.from(label));
  if (labels.some(({ length }) => length === 0 || length > 63)) return undefined;
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
  return bytes.length > 255 ? undefined : bytes;
}
