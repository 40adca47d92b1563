import { expect, test } from "bun:test";
import { formatSubnet, parseCidr } from "./ipv4.ts";
import { chooseSubnet, defaultSubnetPools } from "./pools.ts";

const pools = defaultSubnetPools.map(({ base, size }) => ({ subnet: parseCidr(base).subnet, size }));
const choose = (...taken: string[]): string =>
  formatSubnet(
    chooseSubnet(
      pools,
      taken.map((text) => parseCidr(text).subnet),
    ),
  );

test("the first subnet is 172.17.0.0/16", () => {
  expect(choose()).toBe("172.17.0.0/16");
});

test("what the host routes is passed over, and so is a part of it", () => {
  expect(choose("172.17.5.0/24", "172.18.0.0/15")).toBe("172.20.0.0/16");
});

test("after the 172s come pieces of 192.168", () => {
  expect(choose("172.16.0.0/12")).toBe("192.168.0.0/20");
  expect(choose("172.16.0.0/12", "192.168.1.0/24")).toBe("192.168.16.0/20");
});

test("when all is taken Docker's sentence says so", () => {
  expect(() => choose("172.16.0.0/12", "192.168.0.0/16")).toThrow(
    "all predefined address pools have been fully subnetted",
  );
});
