import { afterAll, expect, test } from "bun:test";
import type { Sent } from "../container.ts";
import { linesIn } from "../logs/last-lines.ts";
import { closeWorlds, createOne, openWorld, settle } from "../testing/fakes.ts";
import { endedBy, reasonOf } from "./ended.ts";

afterAll(closeWorlds);

const plain = { exitCode: 0, oomKilled: false };
const sent = (by: Sent["by"], signal: number, agoMs = 0): Sent => ({
  by,
  signal,
  atMs: 100_000 - agoMs,
});
const now = 100_000;

const told = (signals: Sent[], report: Parameters<typeof endedBy>[1]): string =>
  reasonOf({ ended: endedBy(signals, report, now), exitCode: report.exitCode });

test("an end of its own is told by its code", () => {
  expect(told([], { ...plain, exitCode: 3 })).toBe("ended by itself with exit code 3");
});

test("a stop is the reason even where the program ends well, or needs SIGKILL", () => {
  expect(told([sent("stop", 15)], plain)).toBe("stopped by a client (SIGTERM), exit code 0");
  expect(told([sent("stop", 15), sent("stop", 9)], { ...plain, exitCode: 137 })).toBe(
    "stopped by a client (SIGTERM, then SIGKILL), exit code 137",
  );
});

test("a signal that a client sent is the reason only where the end looks like it", () => {
  expect(endedBy([sent("kill", 9)], { ...plain, exitCode: 137 }, now).by).toBe("kill");
  expect(endedBy([sent("kill", 1)], { ...plain, exitCode: 4 }, now)).toEqual({ cause: "exit" });
  expect(endedBy([sent("kill", 15, 5_000)], plain, now).by).toBe("kill");
  expect(endedBy([sent("kill", 15, 50_000)], plain, now).by).toBeUndefined();
});

test("a signal from elsewhere is named, with the doubt there is", () => {
  expect(told([], { ...plain, exitCode: 139 })).toBe(
    "exit code 139: ended by SIGSEGV, which the engine did not send, or by itself with that code",
  );
});

test("want of memory comes with the kernel's count, and is not blamed for a later end", () => {
  expect(told([], { exitCode: 137, oomKilled: true, oomKills: 2 })).toBe(
    "out of memory: the kernel ended 2 processes of it",
  );
  expect(told([], { exitCode: 0, oomKilled: true, oomKills: 1 })).toBe(
    "ended by itself with exit code 0; before that the kernel had ended 1 process for want of memory",
  );
});

test("an end that nobody saw is told so", () => {
  expect(told([sent("stop", 15)], { ...plain, lost: true })).toContain("its end was not seen");
});

test("the last lines are whole, but for a single long one", () => {
  expect(linesIn(Buffer.from("a\r\nb\n"), false)).toEqual(["a", "b"]);
  expect(linesIn(Buffer.from("ut off\nb\n"), true)).toEqual(["b"]);
  expect(linesIn(Buffer.from("long"), true)).toEqual(["long"]);
  expect(linesIn(Buffer.from(""), false)).toEqual([]);
});

const inspected = async (world: ReturnType<typeof openWorld>, id: string) =>
  (await world.containers.inspect(id, { size: false, why: true })).State;

test("the reason is there once it has ended, survives the engine, and is gone while it runs again", async () => {
  const world = openWorld();
  const id = await createOne(world);
  expect((await inspected(world, id)).Ended).toBeUndefined();
  await world.containers.start(id);
  expect((await inspected(world, id)).Ended).toBeUndefined();
  await world.containers.stop(id, {});
  await settle();
  const after = openWorld({ before: world });
  expect((await inspected(after, id)).Ended).toEqual({
    Cause: "signal",
    Reason: "stopped by a client (SIGTERM), exit code 143",
    By: "stop",
    Signals: ["SIGTERM"],
    LastLines: [],
  });
  const [row] = await after.containers.list({ all: true, size: false, why: true, filters: new Map() });
  expect(row?.Reason).toBe("stopped by a client (SIGTERM), exit code 143");
  await after.containers.start(id);
  expect((await inspected(after, id)).Ended).toBeUndefined();
});

test("a start that fails is the reason, also after a run", async () => {
  const world = openWorld();
  const id = await createOne(world);
  world.runtime.failCreate = new Error("no such program");
  await expect(world.containers.start(id)).rejects.toThrow("no such program");
  expect((await inspected(world, id)).Ended).toMatchObject({
    Cause: "start",
    Reason: "could not start: no such program",
  });
});
