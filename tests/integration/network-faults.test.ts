/** What goes wrong around networks: addresses run out, the host's name servers go, all is flushed while no engine is there. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue } from "../harness/until.ts";

const host = "10.99.99.1";
let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-resolv-"));
  const resolvConf = join(folder, "resolv.conf");
  await writeFile(resolvConf, `nameserver ${host}\n`);
  // in a mount namespace of its own, since the host's file is everyone's; such an engine cannot be started again
  const mounted = ["unshare", "--mount", "--propagation", "private", "sh", "-c"];
  const wrapper = [...mounted, 'mount --bind "$0" /etc/resolv.conf && exec "$@"', resolvConf];
  engine = await startEngine({ images: ["busybox"], wrapper });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const sh = async (command: string): Promise<string> =>
  (await engine.run(["sh", "-c", command])).stdout.trim();
const inside = async (name: string, command: string): Promise<string> =>
  (await engine.berth("exec", name, "sh", "-c", command)).stdout.trim();
const run = (name: string, ...flags: string[]): Promise<string> =>
  engine.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000");

/** Addresses that a container finds for a name, or what it is told where it finds none. */
async function lookUp(container: string, name: string): Promise<string> {
  const { stdout } = await engine.berth("exec", container, "nslookup", "-type=a", name);
  const found = [...stdout.matchAll(/^Address: (\S+)$/gm)].map(([, address]) => address);
  return found.length > 0 ? found.sort().join(" ") : (/SERVFAIL|NXDOMAIN|no servers/.exec(stdout)?.[0] ?? "");
}

const reverse = async (container: string, address: string): Promise<string> =>
  /name = (\S+)/.exec((await engine.berth("exec", container, "nslookup", address)).stdout)?.[1] ?? "";

const post = async (path: string, body: unknown): Promise<number> => {
  const headers = { "content-type": "application/json" };
  return (await engine.api(path, { method: "POST", headers, body: JSON.stringify(body) })).status;
};

test("a network without a free address says so, harms nobody, and gives one out as soon as it is free", async () => {
  await engine.ok("network", "create", "--subnet", "10.41.0.0/29", "small");
  const names = ["s1", "s2", "s3", "s4", "s5"];
  for (const name of names) await run(name, "--network", "small");
  const full = await engine.berth("run", "--name", "s6", "--network", "small", "busybox", "true");
  expect([full.code, full.stderr]).toEqual([
    125,
    expect.stringContaining("no available IPv4 addresses on this network's address pools: small ("),
  ]);
  await run("other");
  expect((await engine.berth("network", "connect", "small", "other")).stderr).toContain("no available IPv4");
  expect(await inside("other", "ls /sys/class/net | tr '\n' ' '")).toBe("eth0 lo");
  expect(await engine.ok("inspect", "-f", "{{len .NetworkSettings.Networks}}", "other")).toBe("1");
  expect(await lookUp("s1", "s5")).toBe("10.41.0.6");
  // the address of one that went is another's, and so is the name
  await engine.ok("rm", "-f", "s3");
  await engine.ok("network", "connect", "small", "other");
  expect(await lookUp("s1", "other")).toBe("10.41.0.4");
  expect(await reverse("s1", "10.41.0.4")).toBe("other.small");
  expect(await lookUp("s1", "s3")).not.toContain("10.41");
  await engine.ok("rm", "-f", "s1", "s2", "s4", "s5", "s6", "other");
  await engine.ok("network", "rm", "small");
}, 120_000);

test("host name servers that refuse, fall silent and come back: names of ours are answered throughout", async () => {
  const script = join(import.meta.dir, "fixtures/dns-server.ts");
  const serve = async (): Promise<Bun.Subprocess<"ignore", "pipe">> => {
    const server = Bun.spawn(engine.inNetwork([process.execPath, script, host]), {
      stdin: "ignore",
      stdout: "pipe",
    });
    await server.stdout.getReader().read();
    return server;
  };
  const end = async (server: Bun.Subprocess): Promise<void> => {
    server.kill("SIGKILL");
    await server.exited;
  };
  await engine.ok("network", "create", "names");
  await run("asks", "--network", "names");
  let server = await serve();
  expect(await lookUp("asks", "example.org")).toBe("9.9.9.9");
  await end(server);
  // nobody is there: told at once, by a refusal
  expect(await lookUp("asks", "example.org")).toBe("SERVFAIL");
  expect(await lookUp("asks", "asks")).not.toBe("");
  // nothing comes back at all: a few wait, then it is taken as gone
  await sh(
    "nft 'add table inet hole; add chain inet hole out { type filter hook output priority 0; }; add rule inet hole out udp dport 53 drop'",
  );
  const silent = async (): Promise<number> => {
    const started = performance.now();
    // the first ones wait longer than this client does
    expect(await lookUp("asks", "example.org")).toMatch(/^(SERVFAIL|no servers)$/);
    return performance.now() - started;
  };
  expect(await comesTrue(async () => (await silent()) < 3000)).toBe(true);
  expect(await lookUp("asks", "asks")).not.toBe("");
  await sh("nft delete table inet hole");
  server = await serve();
  expect(await comesTrue(async () => (await lookUp("asks", "example.org")) === "9.9.9.9")).toBe(true);
  await end(server);
  await engine.ok("rm", "-f", "asks");
  await engine.ok("network", "rm", "names");
}, 120_000);

test("connects and disconnects leave no wrong name, descriptor, row, interface or rule", async () => {
  const rounds = Number(process.env["BERTH_CONNECTS"] ?? 100);
  await engine.ok("network", "create", "--subnet", "10.42.0.0/29", "many");
  for (const name of ["m1", "m2"]) await run(name);
  await run("watch", "--network", "many");
  const change = (action: string, name: string): Promise<number> =>
    post(`/networks/many/${action}`, { Container: name });
  const held = async (): Promise<number> => (await readdir(`/proc/${enginePid}/fd`)).length;
  const enginePid = (await readFile(join(engine.home, "pid"), "utf8")).trim();
  const memory = async (): Promise<number> =>
    Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${enginePid}/status`, "utf8"))?.[1]) / 1024;
  let before = { held: 0, memory: 0 };
  for (let round = 0; round < rounds; round++) {
    const name = round % 2 === 0 ? "m1" : "m2";
    expect(await change("connect", name)).toBe(200);
    if (round % 50 === 0) {
      expect(await lookUp("watch", name)).toBe("10.42.0.3");
      expect(await reverse("watch", "10.42.0.3")).toBe(`${name}.many`);
    }
    expect(await change("disconnect", name)).toBe(200);
    if (round === 20) before = { held: await held(), memory: await memory() };
  }
  expect(await lookUp("watch", "m1")).not.toContain("10.42");
  // spare namespaces and sockets of the moment come and go
  expect(await comesTrue(async () => (await held()) <= before.held + 8)).toBe(true);
  console.log(`${rounds} connects: ${before.memory.toFixed(0)} → ${(await memory()).toFixed(0)} MB resident`);
  for (const name of ["m1", "m2"])
    expect(await inside(name, "ls /sys/class/net | tr '\n' ' '")).toBe("eth0 lo");
  expect(await sh("ip -o link | grep -c veth")).toBe("3");
  await engine.ok("rm", "-f", "m1", "m2", "watch");
  await engine.ok("network", "rm", "many");
  expect(await comesTrue(async () => (await engine.leftovers()).length === 0)).toBe(true);
}, 1_800_000);
