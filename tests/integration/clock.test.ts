/** The clock is set, forth and back, under a running engine: by libfaketime, from a file. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

const machine = process.arch === "x64" ? "x86_64" : "aarch64";
const library = `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`;
const minute = 60_000;

describe.skipIf(!existsSync(library))("a clock that jumps", () => {
  let engine: TestEngine;
  let folder: string;
  /** of the engines: the library leaves shared memory of each behind */
  const pids: number[] = [];
  /** as faketime(1) takes it: "+3h", "-10y" */
  const setClock = (text: string): Promise<void> => writeFile(join(folder, "clock"), `${text}\n`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-clock-"));
    await setClock("+0");
    const env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: join(folder, "clock"),
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
    engine = await startEngine({ images: ["busybox"], env });
    pids.push(engine.pid);
    await engine.ok("network", "create", "names");
    await engine.ok("volume", "create", "kept");
    await engine.ok("run", "-d", "--name", "checked", "--network", "names", ...checked);
    await engine.ok("run", "-d", "--name", "failing", "--restart", "always", "busybox", "false");
    await engine.ok("run", "-d", "--name", "talker", "--network", "names", "busybox", "sh", "-c", talk);
  }, 120_000);
  afterAll(async () => {
    await engine.destroy();
    await rm(folder, { recursive: true, force: true });
    for (const pid of pids)
      for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
        await rm(join("/dev/shm", name), { force: true });
  }, 120_000);

  const checked = ["--health-cmd", "true", "--health-interval", "500ms", "busybox", "sleep", "1000"];
  const talk = "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.2; done";
  const asked = async (format: string, name: string): Promise<string> =>
    engine.ok("inspect", "-f", format, name);
  const lastCheck = (): Promise<string> =>
    asked("{{range .State.Health.Log}}{{.Start}} {{end}}", "checked").then(
      (all) => all.trim().split(" ").pop() ?? "",
    );
  const lines = async (): Promise<string[]> =>
    (await engine.ok("logs", "talker")).split("\n").filter(Boolean);

  /** What an engine does all the time goes on, and nothing happens that nobody asked for. */
  async function expectCalm(year: number): Promise<void> {
    // health goes on, and is told by the new clock
    const first = await until(lastCheck, (time) => time.startsWith(String(year)));
    expect(first).toStartWith(String(year));
    expect(await until(lastCheck, (time) => time !== first)).not.toBe(first);
    expect(await asked("{{.State.Health.Status}}", "checked")).toBe("healthy");
    // lines go on, too
    const [count] = [(await lines()).length];
    expect((await until(lines, (all) => all.length > count)).length).toBeGreaterThan(count);
    // a command, a name and a stop take no longer
    expect(await engine.ok("exec", "checked", "nslookup", "-type=a", "talker")).toContain("Address: ");
    await engine.ok("run", "-d", "--init", "--name", "brief", "busybox", "sleep", "1000");
    const started = performance.now();
    await engine.ok("stop", "-t", "60", "brief");
    expect(performance.now() - started).toBeLessThan(0.75 * minute);
    expect(await engine.ok("wait", "brief")).toBe("143");
    await engine.ok("rm", "brief");
    // nothing of what nobody uses went
    expect(await engine.ok("volume", "ls", "-q")).toBe("kept");
    expect(await engine.ok("images", "-q")).not.toBe("");
  }

  /** Restarts in a while: their delay doubles whatever the clock says. */
  async function restartsIn(ms: number): Promise<number> {
    const count = async (): Promise<number> => Number(await asked("{{.RestartCount}}", "failing"));
    const before = await count();
    await Bun.sleep(ms);
    return (await count()) - before;
  }

  test("forth by years", async () => {
    // the delay is 1.6 s or more from here on
    await until(
      () => asked("{{.RestartCount}}", "failing"),
      (count) => Number(count) >= 5,
    );
    const year = new Date().getFullYear() + 5;
    await setClock("+5y");
    expect(await restartsIn(3000)).toBeLessThanOrEqual(2);
    await expectCalm(year);
    expect(await engine.ok("ps", "--filter", "name=checked", "--format", "{{.Status}}")).toBe(
      "Up 5 years (healthy)",
    );
  }, 120_000);

  test("back by years, and over a restart of the engine", async () => {
    const year = new Date().getFullYear() - 10;
    await setClock("-10y");
    expect(await restartsIn(3000)).toBeLessThanOrEqual(2);
    await expectCalm(year);
    expect(await engine.ok("ps", "--filter", "name=checked", "--format", "{{.Status}}")).toBe(
      "Up Less than a second (healthy)",
    );
    await engine.stop("SIGTERM");
    await engine.start();
    pids.push(engine.pid);
    await expectCalm(year);
    await engine.ok("rm", "-f", "checked", "failing", "talker");
    expect(await engine.ok("system", "prune", "-f", "--filter", "until=1h")).toContain("0B");
    expect(await engine.ok("volume", "ls", "-q")).toBe("kept");
  }, 120_000);
});
