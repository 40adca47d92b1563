import { expect, test } from "bun:test";
import { ipBytes } from "./ip-bytes.ts";

const hex = (text: string): string | undefined => {
  const bytes = ipBytes(text);
  return bytes && Buffer.from(bytes).toString("hex");
};

test("addresses of both families become bytes in network order", () => {
  expect(hex("10.0.255.1")).toBe("0a00ff01");
  expect(hex("::")).toBe("0".repeat(32));
  expect(hex("::1")).toBe(`${"0".repeat(31)}1`);
  expect(hex("2001:db8::7")).toBe("20010db8000000000000000000000007");
  expect(hex("1:2:3:4:5:6:7:8")).toBe("00010002000300040005000600070008");
  expect(hex("::ffff:1.2.3.4")).toBe("00000000000000000000ffff01020304");
});

test("a zone is no part of the bytes, and a text that is no address has none", () => {
  expect(hex("fe80::1%eth0")).toBe("fe800000000000000000000000000001");
  expect(ipBytes("1.2.3")).toBeUndefined();
  expect(ipBytes("host")).toBeUndefined();
});
