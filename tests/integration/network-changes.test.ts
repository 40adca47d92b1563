/** Others change the host's packet rules and interfaces while containers run: the kernel tells, and what is ours is made anew. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
let table: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  await engine.ok("network", "create", "mine");
  await engine.ok("run", "-d", "--name", "web", "-p", "9200:80", "busybox", "httpd", "-f");
  table = /table (inet berth-\S+)/.exec(await nft("list", "tables"))?.[1] ?? "";
  expect(table).not.toBe("");
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

const nft = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await engine.run(["nft", ...args.join(" ").split(" ")]);
  if (code !== 0) throw new Error(`nft ${args.join(" ")}: ${stderr}`);
  return stdout;
};
/** The engine's table as it is now; "" = there is none. */
const rules = async (): Promise<string> =>
  (await engine.run(["nft", "list", "table", ...table.split(" ")])).stdout;
/** How often the engine has said that it makes something anew. */
const mends = async (): Promise<number> => (await engine.log()).split("anew").length - 1;
const descriptors = async (): Promise<number> => (await readdir(`/proc/${engine.pid}/fd`)).length;

/** Nothing is looked at without being told: only who hears of the change can mend these. */
const changes: [what: string, change: () => Promise<unknown>][] = [
  ["the rules of all chains are flushed", () => nft("flush table", table)],
  ["a published port is deleted", () => nft("flush map", table, "published4_any")],
  ["a bridge is taken from a set", () => nft("flush set", table, "masqueraded4")],
  ["a rule is added", () => nft("insert rule", table, "forward counter drop")],
  [
    "all is flushed and another firewall's thousand rules come",
    async () => nft("-f", await firewall(1000, "flush ruleset")),
  ],
  [
    "a chain goes in a change of another's table",
    async () => nft("-f", await firewall(2000, `flush chain ${table} inward`)),
  ],
];

let file = 0;
/** A file of nft's: this first, then so many rules of another firewall, in one change. */
async function firewall(count: number, first: string): Promise<string> {
  const path = `${engine.home}/firewall-${++file}.nft`;
  const rule = (index: number): string => `ip saddr 10.9.${index >> 8}.${index & 255} drop`;
  const chain = Array.from({ length: count }, (_, index) => rule(index)).join("\n");
  const head = "table inet firewall\ndelete table inet firewall\n";
  await writeFile(path, `${head}${first}\ntable inet firewall {\nchain in {\n${chain}\n}\n}\n`);
  return path;
}

for (const [what, change] of changes)
  test(`made anew after ${what}`, async () => {
    const before = await rules();
    expect(before).toContain("9200");
    await change();
    expect(await until(rules, (now) => now === before)).toBe(before);
  }, 120_000);

test("a bridge that others delete comes back with its containers in it", async () => {
  const bridgeOf = async (): Promise<string> =>
    / master (\S+)/.exec((await engine.run(["ip", "-o", "link", "show", "type", "veth"])).stdout)?.[1] ?? "";
  const bridge = await bridgeOf();
  expect(bridge).toStartWith("br-");
  await engine.run(["ip", "link", "delete", bridge]);
  expect(await until(bridgeOf, (now) => now === bridge)).toBe(bridge);
}, 120_000);

test("ports that move with the default route are no reason to make anything anew, and are in one row", async () => {
  const mended = await mends();
  const warned = async (): Promise<string[]> =>
    (await engine.log()).match(/level=\w+ msg="(packet rules|hold) .*/g) ?? [];
  await engine.ok("network", "create", "--ipv6", "six");
  await engine.ok("network", "connect", "--gw-priority", "9", "six", "web");
  const moved = await rules();
  expect(moved).toContain("tcp . 9200 : fd");
  await engine.ok("network", "disconnect", "bridge", "web");
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await until(rules, (now) => now === moved)).toBe(moved);
  expect((await engine.ok("port", "web")).split("\n").sort()).toEqual([
    "80/tcp -> 0.0.0.0:9200",
    "80/tcp -> [::]:9200",
  ]);
  await engine.ok("network", "connect", "bridge", "web");
  await engine.ok("network", "disconnect", "six", "web");
  expect(await rules()).toContain("tcp . 9200 : 172.");
  expect(await engine.ok("port", "web")).toContain("0.0.0.0:9200");
  await engine.ok("network", "rm", "six");
  expect([await mends(), await warned()]).toEqual([mended, []]);
}, 120_000);

test("the engine's own changes and those of others' tables are no reason to make anything anew", async () => {
  const before = await rules();
  const mended = await mends();
  await engine.ok(
    "run",
    "-d",
    "--name",
    "second",
    "-p",
    "9201:80",
    "--network",
    "mine",
    "busybox",
    "sleep",
    "1000",
  );
  await engine.ok("network", "create", "other");
  await engine.ok("network", "connect", "other", "second");
  for (let change = 0; change < 20; change++) await nft("-f", await firewall(20, ""));
  // more than is kept of what the kernel tells: only by looking it is known that none of it was ours
  await nft("-f", await firewall(10_000, ""));
  await engine.ok("rm", "-f", "second");
  await engine.ok("network", "rm", "other");
  // once this is dealt with, so is all that was before it
  await nft("flush map", table, "published4_any");
  expect(await until(rules, (now) => now === before)).toBe(before);
  expect(await mends()).toBe(mended + 1);
}, 120_000);

test("many changes in a row are mended together, and leave no descriptor open", async () => {
  const before = await rules();
  const held = await descriptors();
  const mended = await mends();
  for (let change = 0; change < 40; change++) {
    await nft("flush ruleset");
    await nft("-f", await firewall(50, ""));
  }
  expect(await until(rules, (now) => now === before)).toBe(before);
  // the Worker has some of its own
  expect(await until(descriptors, (now) => now <= held + 8)).toBeLessThanOrEqual(held + 8);
  expect((await mends()) - mended).toBeLessThan(40);
}, 120_000);
