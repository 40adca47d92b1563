/** MessagePack, as much of it as fluentd's forward protocol needs. https://github.com/msgpack/msgpack/blob/master/spec.md */

export type Packable = string | Uint8Array | number | ExtensionValue | readonly Packable[] | PackableMap;
interface PackableMap {
  readonly [key: string]: Packable;
}

/** An extension of eight bytes (fixext 8). */
export class ExtensionValue {
  readonly type: number;
  readonly bytes: Uint8Array;

  constructor(type: number, bytes: Uint8Array) {
    this.type = type;
    this.bytes = bytes;
  }
}

/** Numbers are whole and not negative; bytes are written as a string, as they are. */
export function pack(value: Packable): Buffer {
  const parts: Uint8Array[] = [];
  append(value, parts);
  return Buffer.concat(parts);
}

function append(value: Packable, parts: Uint8Array[]): void {
  if (typeof value === "string") appendText(Buffer.from(value), parts);
  else if (value instanceof Uint8Array) appendText(value, parts);
  else if (typeof value === "number") parts.push(packNumber(value));
  else if (value instanceof ExtensionValue) parts.push(Uint8Array.of(0xd7, value.type), value.bytes);
  else if (isList(value)) {
    parts.push(head(value.length, 0x90, 16, [0, 0xdc, 0xdd]));
    for (const item of value) append(item, parts);
  } else {
    parts.push(packMapHead(Object.keys(value).length));
    appendPairs(value, parts);
  }
}

/** What begins a map of so many pairs. */
export const packMapHead = (pairs: number): Buffer => head(pairs, 0x80, 16, [0, 0xde, 0xdf]);

/** Keys and values of a map, without what begins it. */
export function packPairs(map: PackableMap): Buffer {
  const parts: Uint8Array[] = [];
  appendPairs(map, parts);
  return Buffer.concat(parts);
}

function appendPairs(map: PackableMap, parts: Uint8Array[]): void {
  for (const [key, item] of Object.entries(map)) {
    append(key, parts);
    append(item, parts);
  }
}

const isList = (value: readonly Packable[] | PackableMap): value is readonly Packable[] =>
  Array.isArray(value);

function appendText(bytes: Uint8Array, parts: Uint8Array[]): void {
  parts.push(head(bytes.length, 0xa0, 32, [0xd9, 0xda, 0xdb]), bytes);
}

/** The first byte and the count: in one byte below `limit`, else after the code for 1, 2 or 4 bytes (0 = no such). */
function head(count: number, short: number, limit: number, codes: [number, number, number]): Buffer {
  if (count < limit) return Buffer.from([short | count]);
  if (count < 256 && codes[0] !== 0) return Buffer.from([codes[0], count]);
  const wide = count > 0xffff;
  const bytes = Buffer.alloc(wide ? 5 : 3);
  bytes[0] = wide ? codes[2] : codes[1];
  if (wide) bytes.writeUInt32BE(count, 1);
  else bytes.writeUInt16BE(count, 1);
  return bytes;
}

function packNumber(value: number): Buffer {
  if (value < 128) return Buffer.from([value]);
  const bytes = Buffer.alloc(value > 0xffff_ffff ? 9 : 5);
  if (value > 0xffff_ffff) {
    bytes[0] = 0xcf;
    bytes.writeBigUInt64BE(BigInt(value), 1);
  } else {
    bytes[0] = 0xce;
    bytes.writeUInt32BE(value, 1);
  }
  return bytes;
}
