/**
 * DNS queries, RFC 1035 section 4.1, as a resolver for stub clients reads them: the header, the one question, and the
 * size of an EDNS client's buffer (RFC 6891). Nothing else of a query matters to us, so nothing else is decoded.
 */
export interface Query {
  id: number;
  flags: number;
  /** lower case, without the last dot; a dot within a label is written `\.`; "" for the root */
  name: string;
  type: number;
  /** where the question ends: bytes 12 to here are what an answer repeats */
  questionEnd: number;
  /** the longest answer the client takes in one datagram */
  udpSize: number;
  /** whether the client speaks EDNS, and an answer says so too */
  edns: boolean;
}

/** What is to be done with bytes that came: answer them, say what is wrong with them, or nothing at all. */
type ParsedQuery = Query | "ignore" | "malformed" | "notImplemented";

export const type = { A: 1, PTR: 12, MX: 15, AAAA: 28, OPT: 41 } as const;

const headerSize = 12;
const labelMax = 63;
/** bytes of a whole name, lengths and the root's included */
const nameMax = 255;
const udpSizeMin = 512;
const opcodeQuery = 0;
const opcodeNotify = 4;

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Reads what a client sent, however broken. */
export function parseQuery(bytes: Uint8Array): ParsedQuery {
  if (bytes.length <= headerSize) return "ignore";
  const flags = u16(bytes, 2);
  // an answer is no question; answering it would let two resolvers talk to each other for ever
  if (flags & 0x8000) return "ignore";
  const opcode = (flags >> 11) & 15;
  if (opcode !== opcodeQuery && opcode !== opcodeNotify) return "notImplemented";
  if (u16(bytes, 4) !== 1 || u16(bytes, 6) > 1 || u16(bytes, 8) > 1 || u16(bytes, 10) > 2) return "malformed";
  const name = readName(bytes, headerSize);
  if (!name || name.end + 4 > bytes.length) return "malformed";
  const questionEnd = name.end + 4;
  const size = readUdpSize(bytes, questionEnd, u16(bytes, 6) + u16(bytes, 8) + u16(bytes, 10));
  if (size === "malformed") return "malformed";
  return {
    id: u16(bytes, 0),
    flags,
    name: name.text,
    type: u16(bytes, name.end),
    questionEnd,
    udpSize: Math.max(udpSizeMin, size ?? 0),
    edns: size !== undefined,
  };
}

/** A name without pointers: in a question there is nothing before it to point at. */
function readName(bytes: Uint8Array, start: number): { text: string; end: number } | undefined {
  let at = start;
  let text = "";
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > labelMax) return undefined;
    at++;
    if (length === 0) return { text, end: at };
    if (at + length > bytes.length || at + length - start > nameMax - 1) return undefined;
    if (text !== "") text += ".";
    for (const end = at + length; at < end; at++) text += character(bytes[at] ?? 0);
  }
}

function character(byte: number): string {
  if (byte >= 65 && byte <= 90) return String.fromCharCode(byte + 32);
  return byte === 46 ? "\\." : String.fromCharCode(byte);
}

/** The buffer size in the OPT record among the records behind the question; undefined without one. */
function readUdpSize(bytes: Uint8Array, start: number, records: number): number | undefined | "malformed" {
  let at = start;
  for (let index = 0; index < records; index++) {
    const name = skipName(bytes, at);
    if (name === undefined || name + 10 > bytes.length) return "malformed";
    const end = name + 10 + u16(bytes, name + 8);
    if (end > bytes.length) return "malformed";
    if (u16(bytes, name) === type.OPT) return u16(bytes, name + 2);
    at = end;
  }
  return undefined;
}

/** Where a name ends, its pointers not followed. */
function skipName(bytes: Uint8Array, start: number): number | undefined {
  for (let at = start; ; ) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > labelMax) return undefined;
    at += length + 1;
  }
}

/** Whether `answer` is one to the query whose question ends at `questionEnd`: its id, and its question letter by letter. */
export function isAnswerTo(answer: Uint8Array, query: Uint8Array, questionEnd: number): boolean {
  if (answer.length < questionEnd || !((answer[2] ?? 0) & 0x80)) return false;
  if (u16(answer, 0) !== u16(query, 0) || u16(answer, 4) !== 1) return false;
  for (let at = headerSize; at < questionEnd; at++)
    if (folded(answer[at] ?? 0) !== folded(query[at] ?? 0)) return false;
  return true;
}

const folded = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

/** RCODE of an answer, RFC 1035 4.1.1. */
export const rcodeOf = (answer: Uint8Array): number => (answer[3] ?? 0) & 15;
