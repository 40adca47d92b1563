/** Why a container ended, as `inspect` and `ps` tell it, with an engine and real processes. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { EndedState } from "../../src/types/api.ts";
import { startEngine, type TestEngine } from "../harness/engine.ts";

setDefaultTimeout(120_000);

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
});

afterAll(() => engine?.destroy());

afterEach(async () => {
  const ids = (await engine.ok("ps", "-aq")).split("\n").filter(Boolean);
  if (ids.length > 0) await engine.ok("rm", "-fv", ...ids);
});

async function ended(name: string): Promise<EndedState | null> {
  await engine.berth("wait", name);
  return JSON.parse(await engine.ok("inspect", "-f", "{{json .State.Ended}}", name)) as EndedState | null;
}

test("its own exit code, with the last lines of both streams of this run only", async () => {
  const script = "for i in $(seq 20); do echo line $i; done; echo oh no >&2; exit 3";
  await engine.berth("run", "--name", "own", "busybox", "sh", "-c", script);
  const first = await ended("own");
  expect(first).toMatchObject({ Cause: "exit", Reason: "ended by itself with exit code 3" });
  expect(first?.LastLines).toHaveLength(10);
  expect(first?.LastLines.at(-1)).toBe("oh no");
  await engine.berth("run", "--name", "quiet", "busybox", "sh", "-c", "[ -e /x ] || echo once; touch /x");
  await engine.berth("start", "-a", "quiet");
  expect((await ended("quiet"))?.LastLines).toEqual([]);
});

test("the last lines stay within 4 KB", async () => {
  await engine.berth("run", "--name", "big", "busybox", "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x");
  const lines = (await ended("big"))?.LastLines ?? [];
  expect(lines.join("\n")).toHaveLength(4096);
});

test("who ended it when it was us", async () => {
  const kinds: [string, string[], Partial<EndedState>][] = [
    ["stopped", ["stop", "-t", "1", "stopped"], { By: "stop", Signals: ["SIGTERM", "SIGKILL"] }],
    ["killed", ["kill", "killed"], { By: "kill", Signals: ["SIGKILL"] }],
  ];
  for (const [name, command, wanted] of kinds) {
    await engine.ok("run", "-d", "--name", name, "busybox", "sleep", "1000");
    expect(await engine.ok("inspect", "-f", "{{json .State.Ended}}", name)).toBe("null");
    await engine.ok(...command);
    expect(await ended(name)).toMatchObject(wanted);
  }
});

test("a signal from outside", async () => {
  await engine.ok("run", "-d", "--name", "out", "busybox", "sleep", "1000");
  process.kill(Number(await engine.ok("inspect", "-f", "{{.State.Pid}}", "out")), "SIGKILL");
  expect((await ended("out"))?.Reason).toContain("ended by SIGKILL, which the engine did not send");
});

test("want of memory, with the kernel's count", async () => {
  const eat = "dd if=/dev/zero of=/dev/null bs=200M count=1";
  await engine.berth(
    "run",
    "--name",
    "oom",
    "-m",
    "16m",
    "--memory-swap",
    "16m",
    "busybox",
    "sh",
    "-c",
    `exec ${eat}`,
  );
  const why = await ended("oom");
  expect(why?.Cause).toBe("oom");
  expect(why?.OOMKills).toBeGreaterThanOrEqual(1);
});

test("a start that failed", async () => {
  await engine.berth("run", "--name", "none", "busybox", "/no/such");
  const why = await engine.ok("inspect", "-f", "{{.State.Ended.Cause}}: {{.State.Ended.Reason}}", "none");
  expect(why).toStartWith("start: could not start: ");
});

test("ps tells it in a column of its own, and in no other place", async () => {
  await engine.berth("run", "--name", "own", "busybox", "sh", "-c", "exit 3");
  expect(await engine.ok("ps", "-a", "--format", "{{.Reason}}")).toBe("ended by itself with exit code 3");
  expect(await engine.ok("ps", "-a", "--why")).toContain("WHY");
  expect(await engine.ok("ps", "-a")).not.toContain("by itself");
  expect(await engine.ok("ps", "-a", "--format", "json")).not.toContain("by itself");
});

test("the reason survives the engine's end", async () => {
  await engine.ok("run", "-d", "--name", "kept", "busybox", "sleep", "1000");
  await engine.ok("kill", "kept");
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await ended("kept")).toMatchObject({ By: "kill", Signals: ["SIGKILL"] });
});
