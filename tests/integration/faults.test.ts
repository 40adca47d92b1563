/**
 * Faults: the engine is killed with SIGKILL at random moments while containers start, log, exit and restart. What was
 * acknowledged is there afterwards, containers run on, and once they are removed nothing is left on the machine.
 * BERTH_FAULT_SECONDS sets how long (default 40); BERTH_FAULT_SEED repeats a run.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";
import { Random } from "../harness/random.ts";
import { until as untilRight } from "../harness/until.ts";

const seconds = Number(process.env["BERTH_FAULT_SECONDS"] ?? 40);
const seed = Number(process.env["BERTH_FAULT_SEED"] ?? Date.now() % 1_000_000);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

test("a container outlives a killed engine, with all it wrote and its exit code", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "counter",
    "busybox",
    "sh",
    "-c",
    "for i in $(seq 30); do echo $i; sleep 0.1; done; exit 9",
  );
  await engine.ok("run", "-d", "--name", "steady", "busybox", "sleep", "1000");
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", "steady");
  await Bun.sleep(500);
  await engine.stop("SIGKILL");
  await Bun.sleep(4000);
  await engine.start();
  expect(await engine.ok("wait", "counter")).toBe("9");
  expect(await engine.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "counter")).toBe(
    "exited 9",
  );
  const lines = (await engine.ok("logs", "counter")).split("\n");
  expect(lines).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 1)));
  expect(await engine.ok("inspect", "-f", "{{.State.Running}} {{.State.Pid}}", "steady")).toBe(`true ${pid}`);
  expect((await engine.berth("exec", "steady", "echo", "alive")).stdout).toBe("alive\n");
  await engine.ok("rm", "-f", "counter", "steady");
}, 120_000);

interface Known {
  name: string;
  /** what must be true of it whenever an engine is up */
  kind: "sleeper" | "exits" | "restarts";
}

test(
  `${seconds} s of random kills lose nothing and leave nothing (seed ${seed})`,
  async () => {
    console.log(`fault seed ${seed}`);
    const random = new Random(seed);
    const known = new Map<string, Known>();
    const unsure = new Set<string>();
    let serial = 0;

    /** One client's request; it may die with the engine, and then nothing is claimed about it. */
    async function act(): Promise<void> {
      const name = `f${serial++}`;
      const kind = random.pick(["sleeper", "exits", "restarts"] as const);
      const command = { sleeper: "sleep 1000", exits: "echo said; exit 5", restarts: "echo turn; sleep 0.2" }[
        kind
      ];
      const restart = kind === "restarts" ? ["--restart", "always"] : [];
      unsure.add(name);
      const made = await engine.run(
        [berth, "run", "-d", "--name", name, ...restart, "busybox", "sh", "-c", command],
        { timeoutMs: 20_000 },
      );
      if (made.code !== 0) return;
      known.set(name, { name, kind });
      unsure.delete(name);
      if (known.size > 14) {
        const victim = random.pick([...known.keys()]);
        known.delete(victim);
        unsure.add(victim);
        const removed = await engine.run([berth, "rm", "-f", victim], { timeoutMs: 20_000 });
        if (removed.code === 0) unsure.delete(victim);
      }
    }

    async function verify(): Promise<void> {
      const listed = new Map(
        (await engine.ok("ps", "-a", "--format", "{{.Names}} {{.State}}"))
          .split("\n")
          .filter(Boolean)
          .map((line) => line.split(" ") as [string, string]),
      );
      for (const { name, kind } of known.values()) {
        const state = listed.get(name);
        if (kind === "sleeper") expect(`${name} ${state}`).toBe(`${name} running`);
        if (kind === "restarts") expect(`${name} ${state}`).toMatch(/ (running|restarting)$/);
        if (kind === "exits") {
          expect(`${name} ${state}`).toMatch(/ (exited|running)$/);
          expect(await engine.ok("wait", name)).toBe("5");
          expect(await engine.ok("logs", name)).toBe("said");
        }
      }
      for (const name of listed.keys()) if (!known.has(name)) expect(unsure.has(name)).toBe(true);
    }

    const until = Date.now() + seconds * 1000;
    let kills = 0;
    while (Date.now() < until) {
      const work = Array.from({ length: 20 }, async () => {
        await Bun.sleep(random.below(1500));
        await act();
      });
      await Bun.sleep(200 + random.below(2200));
      await engine.stop("SIGKILL");
      kills++;
      await Promise.all(work);
      await engine.start();
      await verify();
    }
    console.log(`${kills} kills, ${serial} containers`);

    const all = (await engine.ok("ps", "-aq")).split("\n").filter(Boolean);
    if (all.length) await engine.ok("rm", "-f", ...all);
    await engine.stop("SIGTERM");
    expect(
      await untilRight(
        () => engine.leftovers(),
        (all) => all.length === 0,
      ),
    ).toEqual([]);
    await engine.start();
  },
  (seconds + 240) * 1000,
);
