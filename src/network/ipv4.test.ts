import { expect, test } from "bun:test";
import { contains, formatIpv4, formatSubnet, ipv4Bytes, overlaps, parseCidr, parseIpv4 } from "./ipv4.ts";

test("addresses go to numbers and back", () => {
  for (const text of ["0.0.0.0", "172.17.0.2", "255.255.255.255"])
    expect(formatIpv4(parseIpv4(text) ?? -1)).toBe(text);
  expect(ipv4Bytes(parseIpv4("192.0.2.1") ?? 0)).toEqual(Buffer.of(192, 0, 2, 1));
});

test("what is no address is undefined", () => {
  for (const text of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1", "1.2.3.x"])
    expect(parseIpv4(text)).toBeUndefined();
});

test("a CIDR tells the address and its subnet", () => {
  const { address, subnet } = parseCidr("192.168.5.1/24");
  expect(formatIpv4(address)).toBe("192.168.5.1");
  expect(formatSubnet(subnet)).toBe("192.168.5.0/24");
});

test("a bad CIDR is refused by name", () => {
  for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/8/8", "x/8"])
    expect(() => parseCidr(text)).toThrow(`invalid CIDR address: ${text}`);
});

test("subnets overlap when one holds the other, and only then", () => {
  const subnet = (text: string) => parseCidr(text).subnet;
  expect(overlaps(subnet("10.0.0.0/8"), subnet("10.255.0.0/16"))).toBe(true);
  expect(overlaps(subnet("10.255.0.0/16"), subnet("10.0.0.0/8"))).toBe(true);
  expect(overlaps(subnet("172.17.0.0/16"), subnet("172.18.0.0/16"))).toBe(false);
  expect(contains(subnet("172.17.0.0/16"), parseIpv4("172.17.255.255") ?? 0)).toBe(true);
});
