import { EngineError } from "../errors.ts";
import type { Decoded, FieldEntry, Fields, FieldType, Message, Scalar } from "./schema.ts";

const text = new TextDecoder();
const noBytes = new Uint8Array(0);

const wrong = (what: string): EngineError =>
  new EngineError("invalid", `malformed protobuf message: ${what}`);

type Values = Record<string, unknown>;

/**
 * Reads a message. `bytes` fields are views into `data`. Unknown fields are passed over; what the wire format does not
 * allow throws `invalid`.
 */
export function decode<Of extends Fields>(of: Message<Of>, data: Uint8Array): Decoded<Message<Of>> {
  return readMessage(of, new Reader(data)) as Decoded<Message<Of>>;
}

function readMessage(of: Message<Fields>, reader: Reader): Values {
  const into: Values = {};
  for (const { name, type } of of.entries) into[name] = zero(type);
  while (!reader.done) {
    const tag = reader.varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    const field = number < of.byNumber.length ? of.byNumber[number] : undefined;
    if (number === 0) throw wrong("field number 0");
    if (field) readField(into, field, wire, reader);
    else reader.skip(wire);
  }
  return into;
}

function readField(into: Values, { name, type }: FieldEntry, wire: number, reader: Reader): void {
  switch (type.kind) {
    case "list":
      readListItem(into[name] as unknown[], type.of, wire, reader);
      return;
    case "map": {
      const [key, value] = readMapEntry(type.of, reader.nested(wire));
      (into[name] as Map<string, unknown>).set(key, value);
      return;
    }
    default:
      into[name] = readItem(type, wire, reader);
  }
}

/** Numbers may come one by one or packed into one field. */
function readListItem(into: unknown[], of: FieldType, wire: number, reader: Reader): void {
  if (wire !== 2 || of.kind === "string" || of.kind === "bytes" || of.kind === "message") {
    into.push(readItem(of, wire, reader));
    return;
  }
  const packed = reader.nested(wire);
  while (!packed.done) into.push(readItem(of, 0, packed));
}

function readMapEntry(of: FieldType, reader: Reader): [string, unknown] {
  let key = "";
  let value: unknown = zero(of) ?? (of.kind === "message" ? readMessage(of, new Reader(noBytes)) : undefined);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag >> 3 === 1) key = text.decode(reader.bytes(tag & 7));
    else if (tag >> 3 === 2) value = readItem(of, tag & 7, reader);
    else reader.skip(tag & 7);
  }
  return [key, value];
}

function readItem(type: FieldType, wire: number, reader: Reader): unknown {
  switch (type.kind) {
    case "message":
      return readMessage(type, reader.nested(wire));
    case "string":
      return text.decode(reader.bytes(wire));
    case "bytes":
      return reader.bytes(wire);
    case "list":
    case "map":
      throw wrong("a list of lists");
    default:
      if (wire !== 0) throw wrong(`wire type ${wire} for a number`);
      return readNumber(type, reader);
  }
}

function readNumber(type: Scalar<unknown>, reader: Reader): unknown {
  switch (type.kind) {
    case "bool":
      return reader.varint() !== 0;
    case "int32":
      return Number(BigInt.asIntN(32, reader.bigVarint()));
    case "uint32":
      return reader.varint() >>> 0;
    case "int64":
      return Number(BigInt.asIntN(64, reader.bigVarint()));
    default:
      return BigInt.asIntN(64, reader.bigVarint());
  }
}

function zero(type: FieldType): unknown {
  switch (type.kind) {
    case "string":
      return "";
    case "bytes":
      return noBytes;
    case "bool":
      return false;
    case "bigint":
      return 0n;
    case "list":
      return [];
    case "map":
      return new Map();
    case "message":
      return undefined;
    default:
      return 0;
  }
}

class Reader {
  private readonly data: Uint8Array;
  private at = 0;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  get done(): boolean {
    return this.at >= this.data.length;
  }

  /** An unsigned number; exact up to 2^53. */
  varint(): number {
    let value = 0;
    for (let factor = 1, count = 0; ; factor *= 128) {
      const byte = this.data[this.at++];
      if (byte === undefined) throw wrong("it ends within a number");
      if (++count > 10) throw wrong("a number of over ten bytes");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  bigVarint(): bigint {
    const start = this.at;
    const value = this.varint();
    if (this.at - start <= 7) return BigInt(value);
    let exact = 0n;
    for (let at = this.at - 1; at >= start; at--) exact = (exact << 7n) | BigInt((this.data[at] ?? 0) & 0x7f);
    return exact;
  }

  bytes(wire: number): Uint8Array {
    if (wire !== 2) throw wrong(`wire type ${wire} where bytes are due`);
    const length = this.varint();
    if (length > this.data.length - this.at) throw wrong("a field is longer than the message");
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  nested(wire: number): Reader {
    return new Reader(this.bytes(wire));
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 2) this.bytes(2);
    else if (wire === 1 || wire === 5) {
      this.at += wire === 1 ? 8 : 4;
      if (this.at > this.data.length) throw wrong("it ends within a number");
    } else throw wrong(`wire type ${wire}`);
  }
}
