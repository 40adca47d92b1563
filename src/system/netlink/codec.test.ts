import { expect, test } from "bun:test";
import {
  decodeAnswer,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeBatch,
  text,
  u32,
} from "./codec.ts";
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_ERROR } from "./constants.ts";
import * as request from "./requests.ts";

test("an attribute has its length, its type and its value, padded to four bytes", () => {
  expect(encodeAttributes([[3, text("lo")]]).toString("hex")).toBe("070003006c6f0000");
});

test("a nested attribute holds encoded attributes and says so in its type", () => {
  expect(encodeAttributes([[18, [[1, Buffer.of(9)]]]]).toString("hex")).toBe("0c0012800500010009000000");
});

test("attributes are read back by type, flags of the type left out", () => {
  const attributes = decodeAttributes(
    encodeAttributes([
      [10, u32(7)],
      [18, [[1, Buffer.of(9)]]],
    ]),
  );
  expect(attributes.get(10)?.readUInt32LE(0)).toBe(7);
  expect(decodeAttributes(attributes.get(18) ?? Buffer.alloc(0)).get(1)).toEqual(Buffer.of(9));
});

test("an attribute longer than its buffer ends the reading", () => {
  expect(decodeAttributes(Buffer.from("ff000300", "hex")).size).toBe(0);
});

test("requests of one packet are numbered one after the other", () => {
  const packet = encodeBatch([request.setUp("lo"), request.deleteLink("x")], 41);
  const messages = decodeMessages(packet);
  expect(messages.map(({ sequence }) => sequence)).toEqual([41, 42]);
  expect(messages.map(({ type }) => type)).toEqual([19, 17]);
  expect(packet.length % 4).toBe(0);
});

test("bringing up the loopback has the very bytes that ip(8) sends", () => {
  const [message] = decodeMessages(encodeBatch([request.setUp("lo")], 1));
  // struct ifinfomsg: family, type, index, flags, change; then IFLA_IFNAME "lo"
  expect(message?.payload.toString("hex")).toBe(`${"00".repeat(8)}${"01000000".repeat(2)}070003006c6f0000`);
});

test("a cut packet gives only its whole messages", () => {
  const packet = encodeBatch([request.setUp("lo"), request.setUp("eth0")], 1);
  expect(decodeMessages(packet.subarray(0, packet.length - 4))).toHaveLength(1);
});

test("an error answer carries errno and the kernel's own words", () => {
  const payload = Buffer.concat([
    Buffer.from([0xed, 0xff, 0xff, 0xff]),
    Buffer.alloc(16),
    encodeAttributes([[1, text("no such thing")]]),
  ]);
  const flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
  expect(decodeAnswer({ type: NLMSG_ERROR, flags, sequence: 5, payload })).toEqual({
    sequence: 5,
    errno: 19,
    reason: "no such thing",
  });
});

test("an acknowledgement is an answer without an error", () => {
  expect(decodeAnswer({ type: NLMSG_ERROR, flags: 0, sequence: 5, payload: Buffer.alloc(20) })?.errno).toBe(
    0,
  );
});

test("other messages are no answers", () => {
  expect(decodeAnswer({ type: 16, flags: 0, sequence: 5, payload: Buffer.alloc(20) })).toBeUndefined();
});
