import { expect, test } from "bun:test";
import { contains, formatIp, formatSubnet, ipBytes, overlaps, parseCidr, parseIp, readCidr } from "./ip.ts";

const round = (text: string): string => {
  const ip = parseIp(text);
  return ip ? formatIp(ip) : "none";
};

test("addresses are read and told in their shortest form", () => {
  const cases: Record<string, string> = {
    "0.0.0.0": "0.0.0.0",
    "255.1.2.3": "255.1.2.3",
    "::": "::",
    "::1": "::1",
    "fd00::": "fd00::",
    "FD00:0:0:1:0:0:0:2": "fd00:0:0:1::2",
    "1:0:0:2:0:0:3:4": "1::2:0:0:3:4",
    "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
    "1:0:3:4:5:6:7:8": "1:0:3:4:5:6:7:8",
    "2001:db8::10:0:0": "2001:db8::10:0:0",
    "::ffff:10.1.2.3": "::ffff:a01:203",
    "10:0:0:0:0:0:0:0": "10::",
  };
  for (const [text, told] of Object.entries(cases)) expect(round(text)).toBe(told);
});

test("what is no address is none", () => {
  for (const text of ["", "1.2.3", "1.2.3.256", "fe80::1%eth0", "nope", "1.2.3.4/8", "::1::"])
    expect(parseIp(text)).toBeUndefined();
});

test("an address is its bytes in network order", () => {
  expect(Buffer.from(ipBytes({ family: 4, value: 0x0a000001n })).toString("hex")).toBe("0a000001");
  expect(Buffer.from(ipBytes({ family: 6, value: 1n })).toString("hex")).toBe(`${"0".repeat(31)}1`);
});

test("a CIDR gives its address and its subnet without host bits", () => {
  const { ip, subnet } = parseCidr("172.17.3.1/16");
  expect([formatIp(ip), formatSubnet(subnet)]).toEqual(["172.17.3.1", "172.17.0.0/16"]);
  expect(formatSubnet(parseCidr("fd00:1:2:3:4::/48").subnet)).toBe("fd00:1:2::/48");
  expect(formatSubnet(parseCidr("0.0.0.0/0").subnet)).toBe("0.0.0.0/0");
  for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/8/8", "::/129", "10.0.0.0/x"])
    expect(readCidr(text)).toBeUndefined();
});

test("subnets overlap only within a family", () => {
  const subnet = (text: string) => parseCidr(text).subnet;
  expect(overlaps(subnet("10.0.0.0/8"), subnet("10.255.0.0/16"))).toBe(true);
  expect(overlaps(subnet("10.0.0.0/9"), subnet("10.128.0.0/9"))).toBe(false);
  expect(overlaps(subnet("0.0.0.0/0"), subnet("::/0"))).toBe(false);
  expect(contains(subnet("fd00::/64"), parseCidr("fd00::ffff/64").ip)).toBe(true);
  expect(contains(subnet("fd00::/64"), parseCidr("fd00:0:0:1::/64").ip)).toBe(false);
});
