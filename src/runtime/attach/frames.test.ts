import { expect, test } from "bun:test";
import { joinPackets, type Packet } from "./frames.ts";

const packet = (stream: 1 | 2, text: string): Packet => ({ stream, bytes: Buffer.from(text) });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("each stream's bytes stand in a frame, neighbours of one stream in one", () => {
  const joined = joinPackets([packet(1, "a"), packet(1, "b"), packet(2, "c"), packet(1, "d")], false);
  expect(hex(joined)).toBe("01000000000000026162" + "020000000000000163" + "010000000000000164");
});

test("a terminal's bytes pass as they are", () => {
  expect(hex(joinPackets([packet(1, "a"), packet(1, "b")], true))).toBe("6162");
  expect(hex(joinPackets([packet(1, "a")], true))).toBe("61");
});

test("a length takes all four bytes", () => {
  const joined = joinPackets([{ stream: 1, bytes: new Uint8Array(0x012345) }], false);
  expect(hex(joined.subarray(0, 8))).toBe("0100000000012345");
});
