/** `logs --clear`, with an engine and a process that goes on writing. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

setDefaultTimeout(120_000);

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
});

afterAll(() => engine?.destroy());

const numbers = async (name: string): Promise<number[]> =>
  (await engine.ok("logs", name)).split("\n").filter(Boolean).map(Number);

test("of a writing container the old lines go and no later one, and followers go on", async () => {
  const count = "i=0; until [ -e /stop ]; do i=$((i+1)); echo $i; [ $((i % 20)) != 0 ] || sleep 0.02; done";
  await engine.ok("run", "-d", "--name", "busy", "--log-opt", "max-size=4k", "busybox", "sh", "-c", count);
  const last = async (): Promise<number> => (await numbers("busy")).at(-1) ?? 0;
  const before = await until(last, (number) => number > 500);
  const follower = Bun.spawn(engine.inNetwork([berth, "logs", "-f", "--tail", "1", "busy"]), {
    env: { ...process.env, DOCKER_HOST: engine.host },
    stdout: "pipe",
  });
  const [begun, rest] = follower.stdout.tee();
  const following = new Response(rest).text();
  await begun.getReader().read();
  await engine.ok("logs", "--clear", "busy");
  const cleared = await last();
  await until(last, (number) => number > cleared + 500);
  await engine.ok("exec", "busy", "touch", "/stop");
  await engine.ok("wait", "busy");
  const left = await numbers("busy");
  expect(left[0]).toBeGreaterThan(before);
  for (const [index, number] of left.entries()) expect(number).toBe((left[0] ?? 0) + index);
  const followed = (await following).split("\n").filter(Boolean).map(Number);
  expect(followed.at(-1)).toBe(left.at(-1) ?? 0);
});

test("of a container that has ended nothing is left, and a new run is told", async () => {
  await engine.ok("run", "--name", "ended", "busybox", "echo", "once");
  await engine.ok("logs", "--clear", "ended");
  expect(await engine.ok("logs", "ended")).toBe("");
  await engine.ok("start", "-a", "ended");
  expect(await engine.ok("logs", "ended")).toBe("once");
});

test("where there is no log, or no container, it is refused", async () => {
  await engine.ok("run", "--name", "unlogged", "--log-driver", "none", "busybox", "true");
  expect((await engine.berth("logs", "--clear", "unlogged")).stderr).toContain("does not support reading");
  expect((await engine.berth("logs", "--clear", "nosuch")).stderr).toContain("No such container: nosuch");
});
