/** `--link` on the default bridge: names, variables, and what becomes of them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

test("a linked container is in hosts and environment, and stays there when it comes back", async () => {
  const id = await engine.ok(
    "run",
    "-d",
    "--name",
    "db",
    "-e",
    "PASS=x",
    "--expose",
    "5432",
    "busybox",
    "sleep",
    "300",
  );
  await engine.ok("run", "-d", "--name", "web", "--link", "db:store", "busybox", "sleep", "300");
  const address = await engine.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "db");
  const short = id.slice(0, 12);
  expect(await engine.ok("exec", "web", "grep", "store", "/etc/hosts")).toBe(`${address}\tstore ${short} db`);
  const told = (await engine.ok("exec", "web", "env"))
    .split("\n")
    .filter((line) => line.startsWith("STORE_"));
  expect(told).toContain("STORE_NAME=/web/store");
  expect(told).toContain("STORE_ENV_PASS=x");
  expect(told).toContain(`STORE_PORT_5432_TCP=tcp://${address}:5432`);
  expect(await engine.ok("inspect", "-f", "{{.Name}}", "web/store")).toBe("/db");

  await engine.ok("stop", "-t0", "db");
  await engine.ok("run", "-d", "--name", "other", "busybox", "sleep", "300"); // may take the address
  await engine.ok("start", "db");
  const next = await engine.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "db");
  const line = `${next}\tstore ${short} db`;
  const hosts = async (): Promise<string> =>
    (await engine.berth("exec", "web", "grep", "store", "/etc/hosts")).stdout.trim();
  expect(await until(hosts, (now) => now === line)).toBe(line);
  await engine.ok("rm", "--link", "web/store");
  expect(await engine.ok("inspect", "-f", "{{json .HostConfig.Links}}", "web")).toBe("null");
}, 120_000);

test("a link to a container that does not run keeps its holder from starting", async () => {
  await engine.ok("create", "--name", "idle", "busybox", "true");
  await engine.ok("create", "--name", "holder", "--link", "idle:x", "busybox", "true");
  const { code, stderr } = await engine.berth("start", "holder");
  expect(code).toBe(1);
  expect(stderr).toContain("Cannot link to a non running container: /idle AS /holder/x");
}, 120_000);
