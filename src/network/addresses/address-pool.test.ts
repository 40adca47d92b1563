import { expect, test } from "bun:test";
import { AddressPool } from "./address-pool.ts";
import { formatIp, type Ip, parseCidr, parseIp } from "./ip.ts";

const ip = (text: string): Ip => parseIp(text) ?? { family: 4, value: -1n };
const open = (cidr: string, gateway: string, used: string[] = [], range?: string): AddressPool =>
  new AddressPool({
    subnet: parseCidr(cidr).subnet,
    used: [gateway, ...used].map((text) => ip(text).value),
    ...(range === undefined ? {} : { range: parseCidr(range).subnet }),
  });
const take = (pool: AddressPool): string | undefined => {
  const address = pool.take();
  return address && formatIp(address);
};

test("addresses come in order after the gateway", () => {
  const pool = open("172.17.0.0/16", "172.17.0.1");
  expect([take(pool), take(pool), take(pool)]).toEqual(["172.17.0.2", "172.17.0.3", "172.17.0.4"]);
});

test("the lowest released address is given out first", () => {
  const pool = open("10.12.48.0/24", "10.12.48.1");
  for (let i = 0; i < 4; i++) take(pool);
  pool.release(ip("10.12.48.4"));
  pool.release(ip("10.12.48.3"));
  expect([take(pool), take(pool), take(pool)]).toEqual(["10.12.48.3", "10.12.48.4", "10.12.48.6"]);
});

test("recorded addresses and a gateway in the middle are passed over", () => {
  const pool = open("10.0.0.0/24", "10.0.0.2", ["10.0.0.1", "10.0.0.3"]);
  expect(take(pool)).toBe("10.0.0.4");
});

test("a full subnet gives none; network and broadcast addresses are never given", () => {
  const pool = open("10.12.46.0/30", "10.12.46.1");
  expect([take(pool), take(pool)]).toEqual(["10.12.46.2", undefined]);
});

test("subnets of two addresses have no broadcast address", () => {
  const pool = open("10.0.0.0/31", "10.0.0.0");
  expect([take(pool), take(pool)]).toEqual(["10.0.0.1", undefined]);
});

test("an asked address is had once, and only of the subnet", () => {
  const pool = open("10.0.0.0/24", "10.0.0.1");
  expect(pool.reserve(ip("10.0.0.2"))).toBe(true);
  expect(pool.reserve(ip("10.0.0.2"))).toBe(false);
  expect(pool.reserve(ip("10.0.1.2"))).toBe(false);
  expect(take(pool)).toBe("10.0.0.3");
});

test("a range gives its own addresses, the first included, and others can be asked for", () => {
  const pool = open("10.10.1.0/24", "10.10.1.254", ["10.10.1.66"], "10.10.1.64/30");
  expect([take(pool), take(pool), take(pool), take(pool)]).toEqual([
    "10.10.1.64",
    "10.10.1.65",
    "10.10.1.67",
    undefined,
  ]);
  expect(pool.reserve(ip("10.10.1.9"))).toBe(true);
  pool.release(ip("10.10.1.9"));
  pool.release(ip("10.10.1.65"));
  expect(take(pool)).toBe("10.10.1.65");
});

test("an IPv6 subnet begins behind its first address and has no broadcast address", () => {
  const pool = open("fd00::/126", "fd00::1");
  expect([take(pool), take(pool), take(pool)]).toEqual(["fd00::2", "fd00::3", undefined]);
});
