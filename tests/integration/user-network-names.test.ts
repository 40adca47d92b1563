import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";

/** Names on user-defined networks as applications see them, with an engine around the resolver. */
let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  await engine.ok("network", "create", "--subnet", "10.12.71.0/24", "front");
  await engine.ok("network", "create", "--internal", "--subnet", "10.12.72.0/24", "back");
  const sleep = ["busybox", "sleep", "600"];
  await engine.ok("run", "-d", "--name", "web", "--network", "front", "--network-alias", "pool", ...sleep);
  await engine.ok("run", "-d", "--name", "app", "--network", "front", "--network-alias", "pool", ...sleep);
}, 120_000);

afterAll(() => engine.destroy());

/** Addresses that busybox's nslookup finds for a name, in order of size. */
async function lookUp(container: string, name: string): Promise<string[]> {
  const { stdout } = await engine.berth("exec", container, "nslookup", "-type=a", name);
  return [...stdout.matchAll(/^Address: (\S+)$/gm)].map(([, address]) => address ?? "").sort();
}

test("names follow connect, disconnect and rename at once", async () => {
  expect(await lookUp("web", "pool")).toEqual(["10.12.71.2", "10.12.71.3"]);
  await engine.ok("network", "connect", "--alias", "inner", "back", "app");
  expect(await lookUp("web", "inner")).toEqual([]);
  await engine.ok("network", "connect", "back", "web");
  expect(await lookUp("web", "inner")).toEqual(["10.12.72.2"]);
  expect(await lookUp("web", "app.back")).toEqual(["10.12.72.2"]);
  await engine.ok("network", "disconnect", "back", "app");
  expect(await lookUp("web", "inner")).toEqual([]);
  await engine.ok("rename", "app", "other");
  expect(await lookUp("web", "app")).toEqual([]);
  expect(await lookUp("web", "other")).toEqual(["10.12.71.3"]);
  await engine.ok("rename", "other", "app");
}, 120_000);

test("the host has its names without flags", async () => {
  expect(await lookUp("web", "host.docker.internal")).toEqual(["10.12.71.1"]);
  expect(await lookUp("web", "gateway.docker.internal")).toEqual(["10.12.71.1"]);
}, 120_000);

test("a container of the default bridge that joins a network finds its neighbours, and the host's servers no more", async () => {
  await engine.ok("run", "-d", "--name", "late", "busybox", "sleep", "600");
  await engine.ok("network", "connect", "front", "late");
  expect(await engine.ok("exec", "late", "grep", "^nameserver", "/etc/resolv.conf")).toBe(
    "nameserver 127.0.0.11",
  );
  expect(await lookUp("late", "web")).toEqual(["10.12.71.2"]);
  expect(await lookUp("web", "late")).toEqual(["10.12.71.4"]);
  await engine.ok("rm", "-f", "late");
  expect(await lookUp("web", "late")).toEqual([]);
}, 120_000);

test("an engine that was killed answers again as soon as it is back, with containers' own servers", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "own",
    "--network",
    "front",
    "--dns",
    "127.0.0.1",
    "busybox",
    "sleep",
    "600",
  );
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await lookUp("web", "app")).toEqual(["10.12.71.3"]);
  expect(await lookUp("own", "pool")).toEqual(["10.12.71.2", "10.12.71.3"]);
  // nobody listens there: a refusal, told at once, and not an answer of the host's server
  const { stdout } = await engine.berth("exec", "own", "nslookup", "example.org");
  expect(stdout).toContain("SERVFAIL");
  await engine.ok("rm", "-f", "own");
}, 120_000);

test("who shares a container's network asks as that one, and a server that is the resolver itself ends no question in a loop", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "round",
    "--network",
    "front",
    "--dns",
    "127.0.0.11",
    "busybox",
    "sleep",
    "600",
  );
  const { stdout } = await engine.berth("exec", "round", "nslookup", "-type=a", "example.org");
  expect(stdout).toContain("SERVFAIL");
  const shared = await engine.ok(
    "run",
    "--rm",
    "--network",
    "container:round",
    "busybox",
    "nslookup",
    "-type=a",
    "web",
  );
  expect(shared).toContain("Address: 10.12.71.2");
  await engine.ok("rm", "-f", "round");
}, 120_000);
