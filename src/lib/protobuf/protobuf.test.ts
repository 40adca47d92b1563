import { describe, expect, test } from "bun:test";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { bigint, bool, bytes, int32, int64, listOf, mapOf, message, string, uint32 } from "./schema.ts";

const inner = message({ name: [1, string], size: [2, int64] });
const outer = message({
  text: [1, string],
  raw: [2, bytes],
  yes: [3, bool],
  small: [4, int32],
  unsigned: [5, uint32],
  large: [6, int64],
  exact: [7, bigint],
  one: [8, inner],
  many: [9, listOf(inner)],
  names: [10, listOf(string)],
  numbers: [11, listOf(int32)],
  map: [200, mapOf(string)],
  inners: [13, mapOf(inner)],
});

describe("protobuf", () => {
  test("what is written is read again", () => {
    const value = {
      text: "grüße",
      raw: new Uint8Array([0, 255]),
      yes: true,
      small: -7,
      unsigned: 4294967295,
      large: 2 ** 45 + 3,
      exact: 1_795_336_258_001_234_567n,
      one: { name: "x", size: -1 },
      many: [
        { name: "a", size: 0 },
        { name: "", size: 300 },
      ],
      names: ["", "b"],
      numbers: [1, 0, -1],
      map: new Map([
        ["k", "v"],
        ["__proto__", ""],
      ]),
      inners: new Map([["i", { name: "n", size: 9 }]]),
    };
    expect(decode(outer, encode(outer, value))).toEqual(value);
  });

  test("the wire bytes are those of the specification's examples", () => {
    expect([...encode(message({ a: [1, int32] }), { a: 150 })]).toEqual([0x08, 0x96, 0x01]);
    expect([...encode(message({ b: [2, string] }), { b: "testing" })]).toEqual([
      0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67,
    ]);
    expect(
      decode(
        message({ f: [6, listOf(int32)] }),
        Uint8Array.of(0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05),
      ).f,
    ).toEqual([3, 270, 86942]);
  });

  test("absent fields have their zero value and absent messages are undefined", () => {
    const empty = decode(outer, new Uint8Array());
    expect(empty).toMatchObject({ text: "", yes: false, small: 0, exact: 0n, many: [], names: [] });
    expect(empty.one).toBeUndefined();
    expect(encode(outer, { text: "", small: 0, yes: false })).toHaveLength(0);
  });

  test("unknown fields of each wire type are passed over", () => {
    const bytesOf = Uint8Array.of(
      0x99,
      0x06,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      0x9d,
      0x06,
      1,
      2,
      3,
      4,
      0x9a,
      0x06,
      1,
      9,
      0x90,
      6,
      5,
      8,
      1,
    );
    expect(decode(message({ a: [1, int32] }), bytesOf).a).toBe(1);
  });

  test("what no encoder writes is refused", () => {
    const a = message({ a: [1, int32], b: [2, string] });
    for (const broken of [
      [0x08],
      [0x08, 0x80],
      [0x12, 0x05, 0x61],
      [0x12, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x0b],
      [0x10, 0x01],
      [0x00, 0x01],
      [0x08, ...new Array(11).fill(0x80), 1],
    ])
      expect(() => decode(a, Uint8Array.from(broken))).toThrow("malformed protobuf message");
  });
});
