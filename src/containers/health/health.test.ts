import { afterAll, describe, expect, setSystemTime, test } from "bun:test";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { closeWorlds, createOne, openWorld, settle } from "../testing/fakes.ts";
import { linesOf } from "./log-probe.ts";
import { HealthMonitor } from "./monitor.ts";
import { judge } from "./network-probe.ts";
import { failureAction, onFailureKey } from "./on-failure.ts";
import { shortened } from "./probe-result.ts";
import { readTest } from "./test.ts";

afterAll(closeWorlds);

const never = new AbortController().signal;

describe("a health check", () => {
  test("is read from each kind of test", () => {
    expect(readTest({ Test: ["CMD-SHELL", "true"] }, undefined)).toEqual({
      kind: "command",
      command: ["/bin/sh", "-c", "true"],
    });
    expect(readTest({ Test: ["TCP", "80"] }, undefined)).toEqual({ kind: "tcp", port: 80 });
    expect(readTest({ Test: ["HTTP", "/x?y=1"] }, undefined)).toEqual({
      kind: "http",
      port: undefined,
      path: "/x?y=1",
    });
    expect(readTest({ Test: ["HTTP", "8080"] }, undefined)).toEqual({ kind: "http", port: 8080, path: "/" });
    expect(readTest({ Test: ["NONE"] }, undefined)).toBeUndefined();
    expect(readTest({}, undefined)).toBeUndefined();
  });

  test("that cannot work is refused, a request that would carry another one included", () => {
    for (const one of [
      ["TCP"],
      ["TCP", "99999"],
      ["HTTP", "x/"],
      ["HTTP", "/ HTTP/1.1\r\nX: y"],
      ["LOG", "["],
    ])
      expect(() => readTest({ Test: one }, undefined)).toThrow();
    expect(() => failureAction({ Annotations: { [onFailureKey]: "explode" } })).toThrow("must be one of");
  });

  test("by HTTP passes below 400", () => {
    expect(judge("HTTP/1.1 204 No Content").exitCode).toBe(0);
    expect(judge("HTTP/1.0 302").exitCode).toBe(0);
    expect(judge("HTTP/1.1 404 Not Found")).toEqual({ exitCode: 1, output: "HTTP/1.1 404 Not Found" });
    expect(judge("SSH-2.0-x").exitCode).toBe(1);
    expect(judge(undefined).exitCode).toBe(1);
  });

  test("keeps 4 KB of output and marks what was cut", () => {
    expect(shortened("x".repeat(4096))).toHaveLength(4096);
    expect(shortened("x".repeat(4097))).toBe(`${"x".repeat(4096)}...`);
  });

  test("reads lines however they are cut, and endless ones in pieces", async () => {
    async function* chunks() {
      for (const text of ["a", "b\nc\r\n", "x".repeat(9000)]) yield Buffer.from(text);
    }
    const lines: string[] = [];
    for await (const line of linesOf(chunks())) lines.push(line);
    expect(lines.map((line) => line.slice(0, 2))).toEqual(["ab", "c", "xx", "xx", "xx"]);
    expect(Math.max(...lines.map(({ length }) => length))).toBe(4096);
  });
});

/** What a monitor is made for, without the rest of an engine; `waits` are its timers. */
function watched(startedAt: string) {
  const waits: (() => void)[] = [];
  const ctx = {
    clock: {
      after: (_ms: number, act: () => void) => {
        waits.push(act);
        return () => undefined;
      },
    },
    background: { run: (_what: string, work: () => Promise<void>) => void work() },
    events: { publish: () => undefined },
  } as unknown as Context;
  const container = {
    id: "c",
    name: "c",
    life: { status: "running", startedAt },
    spec: { config: { Labels: {}, Image: "i" } },
  } as unknown as Container;
  return { waits, ctx, container };
}

test("a clock that is set back or ahead neither prolongs the start period nor ends it", async () => {
  const fails = { run: async () => ({ exitCode: 1, output: "" }) };
  const options = { probe: fails, byEngine: false, earlier: [] };
  const hour = 3_600_000;
  try {
    for (const [aheadMs, periodMs, becomes] of [
      [-hour, 20, "unhealthy"],
      [hour, 60_000, "starting"],
    ] as const) {
      const { waits, ctx, container } = watched(formatNs(nowNs()));
      const check = { Retries: 1, StartPeriod: periodMs * 1e6 };
      const monitor = new HealthMonitor(ctx, container, { ...options, check, changed: () => undefined });
      monitor.start();
      setSystemTime(Date.now() + aheadMs);
      await settle(40);
      waits[0]?.();
      await settle(5);
      expect(monitor.status).toBe(becomes);
      monitor.stop();
      setSystemTime();
    }
  } finally {
    setSystemTime();
  }
});

test("a check may take longer than the longest timer of the machine: it is not given up at once", async () => {
  const changes: string[] = [];
  const { waits, ctx, container } = watched("");
  const monitor = new HealthMonitor(ctx, container, {
    check: { Timeout: 40 * 24 * 3600 * 1e9, Retries: 1 },
    probe: { run: () => settle(20).then(() => ({ exitCode: 0, output: "" })) },
    byEngine: false,
    earlier: [],
    changed: (status) => changes.push(status),
  });
  monitor.start();
  waits[0]?.();
  await settle(60);
  expect(changes).toEqual(["healthy"]);
  monitor.stop();
});

describe("waiting until it is healthy", () => {
  const waiting = (world: ReturnType<typeof openWorld>, id: string) =>
    world.containers.wait(id, "healthy", never).done;

  test("is over at once where it runs and nothing is checked, and where it does not run", async () => {
    const world = openWorld();
    const id = await createOne(world, {}, "one");
    expect(await waiting(world, id)).toEqual({
      StatusCode: 1,
      Error: { Message: "container one is not running: it was never started" },
    });
    await world.containers.start(id);
    expect(await waiting(world, id)).toEqual({ StatusCode: 0 });
  });

  test("ends with the reason when the container ends", async () => {
    const world = openWorld();
    const id = await createOne(world, { Healthcheck: { Test: ["CMD", "true"] } }, "one");
    await world.containers.start(id);
    const answer = waiting(world, id);
    world.runtime.exit(id, 3);
    expect((await answer).Error?.Message).toBe(
      "container one is not running: ended by itself with exit code 3",
    );
    await settle();
    // Docker calls what it does not watch any more unhealthy
    expect((await world.containers.inspect(id, { size: false })).State.Health?.Status).toBe("unhealthy");
  });
});
