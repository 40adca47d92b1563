/**
 * Protocol Buffers messages stated as tables: field name → [number, type]. From a table come the codec (`decode.ts`,
 * `encode.ts`) and, by inference, the TypeScript shape.
 *
 *     const point = message({ x: [1, int32], label: [2, string], tags: [3, listOf(string)] });
 *     type Point = Decoded<typeof point>;
 *
 * Proto3 as https://protobuf.dev/programming-guides/encoding/ has it, without groups, `oneof` (its members are plain
 * fields here) and map keys other than strings.
 */
export interface Scalar<Value> {
  readonly kind: "string" | "bytes" | "bool" | "int32" | "uint32" | "int64" | "bigint";
  /** never set: carries the type */
  readonly value?: Value;
}

export const string: Scalar<string> = { kind: "string" };
export const bytes: Scalar<Uint8Array> = { kind: "bytes" };
export const bool: Scalar<boolean> = { kind: "bool" };
export const int32: Scalar<number> = { kind: "int32" };
export const uint32: Scalar<number> = { kind: "uint32" };
/** as a number: what lies beyond 2^53 is rounded */
export const int64: Scalar<number> = { kind: "int64" };
/** int64 as a bigint, where each bit counts (nanoseconds since the epoch) */
export const bigint: Scalar<bigint> = { kind: "bigint" };

type Item = Scalar<unknown> | Message<Fields>;
interface List<Of extends Item> {
  readonly kind: "list";
  readonly of: Of;
}
/** `map<string, Of>` */
interface MapOf<Of extends Item> {
  readonly kind: "map";
  readonly of: Of;
}
export type FieldType = Item | List<Item> | MapOf<Item>;
export type Fields = Readonly<Record<string, readonly [number: number, type: FieldType]>>;

export interface Message<Of extends Fields> {
  readonly kind: "message";
  readonly fields: Of;
  /** what `decode` looks up by number */
  readonly byNumber: readonly (FieldEntry | undefined)[];
  readonly entries: readonly FieldEntry[];
}

export interface FieldEntry {
  readonly name: string;
  readonly number: number;
  readonly type: FieldType;
}

export const listOf = <Of extends Item>(of: Of): List<Of> => ({ kind: "list", of });
export const mapOf = <Of extends Item>(of: Of): MapOf<Of> => ({ kind: "map", of });

export function message<const Of extends Fields>(fields: Of): Message<Of> {
  const byNumber: (FieldEntry | undefined)[] = [];
  const entries = Object.entries(fields).map(([name, [number, type]]) => ({ name, number, type }));
  for (const entry of entries) byNumber[entry.number] = entry;
  return { kind: "message", fields, byNumber, entries };
}

type DecodedItem<Of> =
  Of extends Scalar<infer Value> ? Value : Of extends Message<infer Inner> ? DecodedFields<Inner> : never;

type DecodedField<Of> =
  Of extends List<infer Inner>
    ? DecodedItem<Inner>[]
    : Of extends MapOf<infer Inner>
      ? Map<string, DecodedItem<Inner>>
      : Of extends Message<infer Inner>
        ? DecodedFields<Inner> | undefined
        : DecodedItem<Of>;

type DecodedFields<Of extends Fields> = { [Name in keyof Of]: DecodedField<Of[Name][1]> };

/** A decoded message: absent fields have proto3's zero value, absent messages are undefined. */
export type Decoded<Of extends Message<Fields>> = DecodedFields<Of["fields"]>;

type EncodableItem<Of> =
  Of extends Scalar<infer Value> ? Value : Of extends Message<infer Inner> ? EncodableFields<Inner> : never;

type EncodableField<Of> =
  Of extends List<infer Inner>
    ? readonly EncodableItem<Inner>[]
    : Of extends MapOf<infer Inner>
      ? ReadonlyMap<string, EncodableItem<Inner>>
      : EncodableItem<Of>;

type EncodableFields<Of extends Fields> = { [Name in keyof Of]?: EncodableField<Of[Name][1]> | undefined };

/** What `encode` takes: any field may be left out. */
export type Encodable<Of extends Message<Fields>> = EncodableFields<Of["fields"]>;
