import { expect, test } from "bun:test";
import { formatSubnet, parseCidr } from "./ip.ts";
import { chooseSubnet, defaultSubnetPools, localPool, readPools } from "./pools.ts";

const pools = readPools(defaultSubnetPools);
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

test("an engine has IPv6 subnets of its own, the same at every start", () => {
  const pool = localPool("engine");
  expect(pool).toEqual(localPool("engine"));
  expect(pool.base).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::\/48$/);
  const read = readPools([pool]);
  const first = chooseSubnet(read, []);
  expect(formatSubnet(first)).toEndWith("/64");
  expect(chooseSubnet(read, [first]).base).toBe(first.base + (1n << 64n));
});

test("what lies in a pool's way is passed in one step, however large it is", () => {
  const pool = readPools([{ base: "10.0.0.0/8", size: 30 }]);
  expect(formatSubnet(chooseSubnet(pool, [parseCidr("10.0.0.0/9").subnet]))).toBe("10.128.0.0/30");
});
