import { expect, test } from "bun:test";
import { unmapCapability } from "./file-capability.ts";

const map = { uids: [{ disk: 0, seen: 200_000, count: 1000 }], gids: [] };
const three = (root: number): Buffer => {
  const value = Buffer.alloc(24);
  value.writeUInt32LE(0x03000001, 0);
  value.writeUInt32LE(1 << 13, 4);
  value.writeUInt32LE(root, 20);
  return value;
};

test("capabilities for the container's own root are told without one", () => {
  const two = Buffer.from(three(0).subarray(0, 20));
  two.writeUInt32LE(0x02000001, 0);
  expect(unmapCapability(three(200_000), map)).toEqual(two);
  expect(unmapCapability(two, map)).toEqual(two);
});

test("those for another user's namespace name that user, and what is no capability stays", () => {
  expect(unmapCapability(three(200_007), map).readUInt32LE(20)).toBe(7);
  expect(unmapCapability(three(5), map).readUInt32LE(20)).toBe(65534);
  expect(unmapCapability(Buffer.from("x".repeat(24)), map).toString()).toBe("x".repeat(24));
});
