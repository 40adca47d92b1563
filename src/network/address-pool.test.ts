import { expect, test } from "bun:test";
import { AddressPool } from "./address-pool.ts";
import { formatIpv4, parseCidr, parseIpv4 } from "./ipv4.ts";

const number = (text: string): number => parseIpv4(text) ?? -1;
const open = (cidr: string, gateway: string, used: string[] = []): AddressPool =>
  new AddressPool(parseCidr(cidr).subnet, number(gateway), used.map(number));
const take = (pool: AddressPool): string | undefined => {
  const address = pool.take();
  return address === undefined ? undefined : formatIpv4(address);
};

test("addresses come in order after the gateway", () => {
  const pool = open("172.17.0.0/16", "172.17.0.1");
  expect([take(pool), take(pool), take(pool)]).toEqual(["172.17.0.2", "172.17.0.3", "172.17.0.4"]);
});

test("the lowest released address is given out first", () => {
  const pool = open("10.12.48.0/24", "10.12.48.1");
  for (let i = 0; i < 4; i++) take(pool);
  pool.release(number("10.12.48.4"));
  pool.release(number("10.12.48.3"));
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
  expect(pool.reserve(number("10.0.0.2"))).toBe(true);
  expect(pool.reserve(number("10.0.0.2"))).toBe(false);
  expect(pool.reserve(number("10.0.1.2"))).toBe(false);
  expect(take(pool)).toBe("10.0.0.3");
});
