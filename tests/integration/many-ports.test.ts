/** Ports by the thousand: one entry in the engine and one element of the packet rules, and told one by one. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

const sh = async (command: string): Promise<string> =>
  (await engine.run(["sh", "-c", command])).stdout.trim();
const rules = (): Promise<string> => sh("nft list ruleset");
/** What the container answers at a port of the host; its program listens anew for each caller. */
const get = (port: number): Promise<string> =>
  until(
    () => sh(`curl -s -m 5 http://127.0.0.1:${port}/`),
    (text) => text === String(port),
  );
const serve =
  "for p in 70 7000 65535; do echo $p > /tmp/$p; done; cd /tmp; for p in 70 7000 65535; do (while true; do (printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; cat /tmp/$p) | nc -l -p $p; done) & done; wait";

test("every port of the host is published: by one element, held against others, told one by one", async () => {
  await engine.ok("run", "-d", "--name", "all", "-p", "1-65535:1-65535", "busybox", "sh", "-c", serve);
  expect(await rules()).toMatch(/elements = \{ tcp \. 1-65535 : 172\.\d+\.0\.2 \}/);
  for (const port of [70, 7000, 65535]) expect(await get(port)).toBe(String(port));
  const [told] = JSON.parse((await engine.docker("inspect", "all")).stdout) as [
    {
      HostConfig: { PortBindings: object };
      Config: { ExposedPorts: object };
      NetworkSettings: { Ports: object };
    },
  ];
  for (const ports of [told.HostConfig.PortBindings, told.Config.ExposedPorts, told.NetworkSettings.Ports])
    expect(Object.keys(ports)).toHaveLength(65_535);
  expect(told.NetworkSettings.Ports).toMatchObject({ "7000/tcp": [{ HostIp: "0.0.0.0", HostPort: "7000" }] });
  expect(told.HostConfig.PortBindings).toMatchObject({ "7000/tcp": [{ HostIp: "", HostPort: "7000" }] });
  expect((await engine.ok("port", "all")).split("\n")).toHaveLength(65_535);
  expect(await engine.ok("ps", "--format", "{{.Ports}}")).toBe("0.0.0.0:1-65535->1-65535/tcp");
  const taken = await engine.berth("run", "-p", "8080:80", "busybox", "true");
  expect(taken.stderr).toContain("Bind for 0.0.0.0:8080 failed: port is already allocated");
}, 120_000);

test("they move with the default route, and stay over a kill of the engine", async () => {
  await engine.ok("network", "create", "--subnet", "10.77.0.0/24", "other");
  await engine.ok("network", "connect", "--gw-priority", "5", "other", "all");
  const moved = "tcp . 1-65535 : 10.77.0.2";
  expect(await rules()).toContain(moved);
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await rules()).toContain(moved);
  expect(await get(7000)).toBe("7000");
  const doctor = await engine.ok("network", "doctor");
  expect(doctor).toContain("are as recorded");
  await engine.ok("network", "disconnect", "other", "all");
  expect(await rules()).toMatch(/tcp \. 1-65535 : 172/);
  expect((await engine.log()).match(/.*(anew|changed by others).*/g) ?? []).toEqual([]);
  await engine.ok("rm", "-f", "all");
  await engine.ok("network", "rm", "other");
  expect(await rules()).not.toContain("1-65535");
}, 120_000);

test("one port is taken back, and another added, within a range", async () => {
  await engine.ok("run", "-d", "--name", "part", "-p", "1-2000:1-2000", "busybox", "sh", "-c", serve);
  await engine.ok("update", "--publish-rm", "70", "--publish-add", "7070:1000", "part");
  expect(await rules()).toMatch(/tcp \. 1-69 : [\d.]+,\s+tcp \. 71-999 : [\d.]+,\s+tcp \. 1001-2000 :/);
  const shown = ["0.0.0.0:1000->1000/tcp", "0.0.0.0:7070->1000/tcp", "[::]:7070->1000/tcp"];
  expect((await engine.ok("port", "part", "1000")).split("\n")).toEqual([
    "0.0.0.0:1000",
    "0.0.0.0:7070",
    "[::]:7070",
  ]);
  expect((await engine.ok("ps", "--format", "{{.Ports}}")).split(", ")).toEqual(
    expect.arrayContaining(shown.slice(1)),
  );
  expect((await engine.berth("port", "part", "70")).code).not.toBe(0);
  // it is free, and what is left is still held
  await engine.ok("run", "-d", "--name", "taker", "-p", "70:70", "busybox", "sh", "-c", serve);
  expect(await get(70)).toBe("70");
  expect((await engine.berth("run", "-p", "71:71", "busybox", "true")).stderr).toContain(
    "Bind for 0.0.0.0:71 failed",
  );
  await engine.stop("SIGKILL");
  await engine.start();
  expect((await engine.berth("run", "-p", "69:71", "busybox", "true")).stderr).toContain(
    "Bind for 0.0.0.0:69 failed",
  );
  await engine.ok("restart", "-t", "0", "part");
  expect(await get(70)).toBe("70");
  expect(await engine.ok("network", "doctor")).toContain("are as recorded");
  await engine.ok("rm", "-f", "part", "taker");
  expect(await rules()).not.toContain("71");
}, 120_000);

test("a program of the host that listens in the range is told, and nothing stays published", async () => {
  const listen = ["nc", "-l", "-p", "30100"];
  await engine.ok("run", "-d", "--name", "server", "--network", "host", "busybox", ...listen);
  const sockets = (): Promise<string> => sh("cat /proc/net/tcp /proc/net/tcp6");
  expect(await until(sockets, (text) => text.includes(":7594 "))).toContain(":7594 ");
  const refused = await engine.berth("run", "-p", "30000-32000:30000-32000", "busybox", "true");
  expect(refused.stderr).toMatch(
    /failed to bind host port for 0\.0\.0\.0:30100:[\d.]+:30100\/tcp: address already in use/,
  );
  expect(await rules()).not.toContain("30000");
  await engine.ok("rm", "-f", "server");
  // a few hundred have sockets each, and numbers of their own
  await engine.ok("run", "-d", "--name", "few", "-p", "30000-30299:1000-1299", "busybox", "sleep", "1000");
  expect(await rules()).toContain("tcp . 30299 : 172.17.0.");
  await engine.ok("rm", "-f", "few");
}, 120_000);

test("a range that has lost a port moves with its container, also where a program listens in it by now", async () => {
  await engine.ok("run", "-d", "--name", "rest", "-p", "10000-12000:10000-12000", "busybox", "sleep", "1000");
  await engine.ok("update", "--publish-rm", "10100", "rest");
  const listen = ["nc", "-l", "-p", "10050"];
  await engine.ok("run", "-d", "--name", "server", "--network", "host", "busybox", ...listen);
  const sockets = (): Promise<string> => sh("cat /proc/net/tcp /proc/net/tcp6");
  expect(await until(sockets, (text) => text.includes(":2742 "))).toContain(":2742 ");
  await engine.ok("network", "create", "--subnet", "10.78.0.0/24", "next");
  await engine.ok("network", "connect", "--gw-priority", "5", "next", "rest");
  expect(await rules()).toMatch(/tcp \. 10000-10099 : 10\.78\.0\.2,\s+tcp \. 10101-12000 : 10\.78\.0\.2/);
  expect((await engine.berth("run", "-p", "10020:80", "busybox", "true")).stderr).toContain(
    "Bind for 0.0.0.0:10020 failed",
  );
  // what the same call takes away is free for what it adds
  await engine.ok("update", "--publish-rm", "10200", "--publish-add", "10200:81", "rest");
  expect(await rules()).toContain("tcp . 10200 : 10.78.0.2 . 81");
  await engine.ok("network", "disconnect", "next", "rest");
  expect(await rules()).toMatch(/tcp \. 10201-12000 : 172/);
  expect(await engine.ok("network", "doctor")).toContain("are as recorded");
  await engine.ok("rm", "-f", "rest", "server");
  await engine.ok("network", "rm", "next");
}, 120_000);

test("a range at IPv6's loopback is served by sockets, and too many single ports are refused", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "six",
    "-p",
    "[::1]:6500-7600:6500-7600",
    "busybox",
    "sh",
    "-c",
    serve,
  );
  const there = (): Promise<string> => sh("curl -s -m 5 'http://[::1]:7000/'");
  expect(await until(there, (text) => text === "7000")).toBe("7000");
  await engine.ok("rm", "-f", "six");
  const PortBindings = Object.fromEntries(
    Array.from({ length: 9000 }, (_, index) => [`${index + 1}/tcp`, [{ HostPort: String(20_000 - index) }]]),
  );
  const body = JSON.stringify({ Image: "busybox", HostConfig: { PortBindings } });
  const init = { method: "POST", headers: { "content-type": "application/json" }, body };
  expect((await engine.api("/containers/create?name=singles", init)).status).toBe(201);
  expect((await engine.berth("start", "singles")).stderr).toContain(
    "9000 ports are too many to be published one by one",
  );
  await engine.ok("rm", "singles");
}, 120_000);
