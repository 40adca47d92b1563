/** UDP clients send on without noticing that the other end is new: they reach whoever has the port now. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

const host = "10.99.99.1";
const peer = join(import.meta.dir, "network/peer.ts");
let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  for (const server of running.values()) server.kill("SIGKILL");
  await engine.destroy();
}, 120_000);

const running = new Map<string, Bun.Subprocess>();

/** A container whose `inner` port answers with its number and the caller's address. */
async function serve(name: string, inner: number, ...flags: string[]): Promise<void> {
  await engine.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000");
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", name);
  const command = [process.execPath, peer, "serve", String(inner)];
  const options = { stdin: "ignore", stdout: "ignore" } as const;
  running.set(name, Bun.spawn(["nsenter", `--net=/proc/${pid}/ns/net`, ...command], options));
}

async function remove(name: string): Promise<void> {
  running.get(name)?.kill("SIGKILL");
  await running.get(name)?.exited;
  await engine.ok("rm", "-f", name);
}

/** One flow: always from the same port. */
const ask = async (): Promise<string> =>
  (await engine.run([process.execPath, peer, "ask", "udp", host, "9100", "40123"])).stdout.trim();

const answers = (wanted: string): Promise<string> => until(ask, (answer) => answer === wanted);

test("a flow follows its port from nobody to a container, to another, and to nobody", async () => {
  // tracked before anybody has the port
  expect(await ask()).not.toContain("81");
  await serve("first", 81, "-p", "9100:81/udp");
  // not the gateway's address: the kernel redirects, and the socket that holds the port has no part in it
  expect(await answers(`81 ${host}`)).toBe(`81 ${host}`);
  await remove("first");
  expect(await ask()).not.toContain("81");
  // its address is another's, who answers at its port, too
  await serve("squatter", 81);
  await serve("second", 82, "-p", "9100:82/udp");
  expect(await answers(`82 ${host}`)).toBe(`82 ${host}`);
  await remove("second");
  expect(await ask()).not.toMatch(/8[12]/);
  await remove("squatter");
}, 120_000);

test("a flow follows a port of a range that rules alone carry", async () => {
  expect(await ask()).not.toContain("9100");
  await serve("many", 9100, "-p", "9000-10500:9000-10500/udp");
  expect(await answers(`9100 ${host}`)).toBe(`9100 ${host}`);
  await remove("many");
  expect(await ask()).not.toContain("9100");
}, 120_000);

test("what was sent while somebody had flushed the rules is redirected again once they are back", async () => {
  await serve("flushed", 83, "-p", "9100:83/udp");
  expect(await answers(`83 ${host}`)).toBe(`83 ${host}`);
  await engine.run(["nft", "flush", "ruleset"]);
  for (let times = 0; times < 3; times++) await ask();
  expect(await answers(`83 ${host}`)).toBe(`83 ${host}`);
  await remove("flushed");
}, 120_000);
