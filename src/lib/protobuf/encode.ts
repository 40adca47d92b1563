import type { Encodable, FieldEntry, Fields, FieldType, Message } from "./schema.ts";

const text = new TextEncoder();

/** Writes a message; zero values are left out, as proto3 wants. */
export function encode<Of extends Fields>(of: Message<Of>, value: Encodable<Message<Of>>): Uint8Array {
  const writer = new Writer();
  writeMessage(of, value as Record<string, unknown>, writer);
  return writer.finish();
}

function writeMessage(of: Message<Fields>, value: Record<string, unknown>, writer: Writer): void {
  for (const entry of of.entries) {
    const field = value[entry.name];
    if (field !== undefined) writeField(entry, field, writer);
  }
}

function writeField({ number, type }: FieldEntry, value: unknown, writer: Writer): void {
  switch (type.kind) {
    case "list":
      for (const item of value as readonly unknown[]) writeItem(number, type.of, item, writer);
      return;
    case "map":
      for (const [key, item] of value as ReadonlyMap<string, unknown>)
        writer.nested(number, (entry) => {
          writeItem(1, { kind: "string" }, key, entry);
          writeItem(2, type.of, item, entry);
        });
      return;
    default:
      if (!isZero(type, value)) writeItem(number, type, value, writer);
  }
}

function isZero(type: FieldType, value: unknown): boolean {
  if (type.kind === "message") return false;
  return type.kind === "bytes" || type.kind === "string"
    ? (value as string | Uint8Array).length === 0
    : !value;
}

function writeItem(number: number, type: FieldType, value: unknown, writer: Writer): void {
  switch (type.kind) {
    case "message":
      writer.nested(number, (inner) => writeMessage(type, value as Record<string, unknown>, inner));
      return;
    case "string":
      writer.bytes(number, text.encode(value as string));
      return;
    case "bytes":
      writer.bytes(number, value as Uint8Array);
      return;
    case "bool":
      writer.number(number, value ? 1 : 0);
      return;
    default:
      writer.number(number, value as number | bigint);
  }
}

class Writer {
  private buffer = new Uint8Array(128);
  private length = 0;

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  number(field: number, value: number | bigint): void {
    this.varint(field * 8);
    if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) this.varint(value);
    else this.bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  nested(field: number, write: (inner: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.bytes(field, inner.finish());
  }

  private varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  private bigVarint(value: bigint): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 128n) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
