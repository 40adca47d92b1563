/** Health checks, what follows their failure, and waiting for them, with an engine and real processes. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { until as answerOf, comesTrue } from "../harness/until.ts";

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

const inspect = async (name: string, path: string): Promise<string> =>
  await engine.ok("inspect", "-f", `{{${path}}}`, name);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (!(await comesTrue(holds))) throw new Error(`never: ${what}`);
}

const health = (name: string, wanted: string): Promise<void> =>
  until(`${name} ${wanted}`, async () => (await inspect(name, ".State.Health.Status")) === wanted);

const server = "mkdir -p /www; echo hi > /www/ok; exec httpd -f -p 80 -h /www";

test("a command's check goes from starting to healthy to unhealthy, with its log, events and text", async () => {
  const check = [
    "--health-cmd",
    "while [ ! -e /go ]; do sleep 0.1; done; echo said; test ! -e /bad",
    "--health-interval",
    "700ms",
    "--health-retries",
    "2",
  ];
  await engine.ok("run", "-d", "--name", "one", ...check, "busybox", "sleep", "1000");
  expect(await inspect("one", ".State.Health.Status")).toBe("starting");
  expect(await engine.ok("ps", "--format", "{{.Status}}")).toContain("(health: starting)");
  await engine.ok("exec", "one", "touch", "/go");
  await health("one", "healthy");
  expect(await engine.ok("ps", "--format", "{{.Status}}")).toContain("(healthy)");
  await engine.ok("exec", "one", "touch", "/bad");
  await health("one", "unhealthy");
  const state = async () => JSON.parse(await inspect("one", "json .State.Health"));
  const told = await answerOf(state, ({ Log, FailingStreak }) => Log.length === 5 && FailingStreak >= 2);
  expect(told.Log).toHaveLength(5);
  expect(told.Log[4]).toMatchObject({ ExitCode: 1, Output: "said\n" });
  expect(told.FailingStreak).toBeGreaterThanOrEqual(2);
  const span = ["--since", "1h", "--until", "0s", "--filter", "container=one"];
  const events = await engine.ok("events", ...span, "--format", "{{.Action}}");
  expect(events.split("\n").filter((line) => line.startsWith("health_status"))).toEqual([
    "health_status: healthy",
    "health_status: unhealthy",
  ]);
});

test("a check that takes too long is ended and told, also when a child of it holds its output", async () => {
  const check = ["--health-cmd", "sleep 700 & sleep 700", "--health-interval", "100ms"];
  await engine.ok(
    "run",
    "-d",
    "--name",
    "slow",
    ...check,
    "--health-timeout",
    "300ms",
    "--health-retries",
    "1",
    "busybox",
    "sleep",
    "1000",
  );
  await health("slow", "unhealthy");
  const [first] = JSON.parse(await inspect("slow", "json .State.Health.Log"));
  expect(first).toMatchObject({ ExitCode: -1, Output: "Health check exceeded timeout (300ms)" });
  const late = [
    "--health-cmd",
    "echo part; sleep 700",
    "--health-interval",
    "100ms",
    "--health-timeout",
    "3s",
  ];
  await engine.ok(
    "run",
    "-d",
    "--name",
    "said",
    ...late,
    "--health-retries",
    "1",
    "busybox",
    "sleep",
    "1000",
  );
  await health("said", "unhealthy");
  expect(await inspect("said", "(index .State.Health.Log 0).Output")).toBe(
    "Health check exceeded timeout (3s): part\n",
  );
});

test("failures in the start period do not count, and start interval sets the pace", async () => {
  const times = [
    "--health-start-period",
    "60s",
    "--health-start-interval",
    "100ms",
    "--health-interval",
    "30s",
  ];
  await engine.ok(
    "run",
    "-d",
    "--name",
    "late",
    "--health-cmd",
    "test -e /ready",
    "--health-retries",
    "1",
    ...times,
    "busybox",
    "sleep",
    "1000",
  );
  const log = async (): Promise<unknown[]> =>
    JSON.parse(await inspect("late", "json .State.Health.Log")) ?? [];
  expect((await answerOf(log, (all) => all.length >= 3)).length).toBeGreaterThanOrEqual(3);
  expect(await inspect("late", ".State.Health.Status")).toBe("starting");
  await engine.ok("exec", "late", "touch", "/ready");
  await health("late", "healthy");
});

test("--no-healthcheck takes an image's check away", async () => {
  await engine.ok("create", "--name", "src", "busybox");
  await engine.ok("commit", "-c", "HEALTHCHECK --interval=100ms CMD true", "src", "checked");
  await engine.ok("run", "-d", "--name", "with", "checked", "sleep", "1000");
  await engine.ok("run", "-d", "--name", "without", "--no-healthcheck", "checked", "sleep", "1000");
  await health("with", "healthy");
  expect(await inspect("without", "json .State.Health")).toBe("null");
});

test("--health-tcp and --health-http look from outside, with no tool in the image", async () => {
  await engine.ok(
    "run",
    "-d",
    "--wait",
    "--name",
    "tcp",
    "--health-tcp",
    "80",
    "busybox",
    "sh",
    "-c",
    server,
  );
  expect(await inspect("tcp", "json .Config.Healthcheck.Test")).toBe('["TCP","80"]');
  await engine.ok("run", "--wait", "--name", "http", "--health-http", "80/ok", "busybox", "sh", "-c", server);
  expect(await inspect("http", "(index .State.Health.Log 0).Output")).toMatch(/^(HTTP|172).*/);
  const missing = ["--health-http", "/none", "--health-start-period", "1ms", "--health-interval", "100ms"];
  const refused = await engine.berth(
    "run",
    "--wait",
    "--name",
    "no",
    ...missing,
    "busybox",
    "sh",
    "-c",
    server,
  );
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("is unhealthy");
  expect(refused.stderr).toContain("404");
});

test("a container without an address is asked inside its own network namespace", async () => {
  await engine.ok(
    "run",
    "--wait",
    "--wait-timeout",
    "20s",
    "--name",
    "none",
    "--network",
    "none",
    "--health-http",
    "80/ok",
    "busybox",
    "sh",
    "-c",
    server,
  );
  await engine.ok(
    "run",
    "--wait",
    "--wait-timeout",
    "20s",
    "--name",
    "joined",
    "--network",
    "container:none",
    "--health-tcp",
    "80",
    "busybox",
    "sleep",
    "1000",
  );
  expect(await inspect("joined", ".State.Health.Status")).toBe("healthy");
});

test("--health-log waits for a line of this run", async () => {
  const gate = "until [ -e /go ]; do sleep 0.1; done; rm /go";
  const script = `echo starting; ${gate}; echo 'ready in 12ms'; exec sleep 1000`;
  const open = (): Promise<string> => engine.ok("exec", "log", "touch", "/go");
  await engine.ok(
    "run",
    "-d",
    "--name",
    "log",
    "--health-log",
    "ready in \\d+ms",
    "busybox",
    "sh",
    "-c",
    script,
  );
  expect(await inspect("log", ".State.Health.Status")).toBe("starting");
  await until("looked at", async () => (await inspect("log", "len .State.Health.Log")) !== "0");
  const waiting = engine.ok("start", "--wait", "log");
  await open();
  await waiting;
  expect(await inspect("log", "(index .State.Health.Log 0).Output")).toContain("no line");
  await engine.ok("restart", "-t", "0", "log");
  // the line of the run before does not count
  await until("looked at", async () => (await inspect("log", "len .State.Health.Log")) !== "0");
  expect(await inspect("log", ".State.Health.Status")).toBe("starting");
  await open();
  await health("log", "healthy");
});

test("--wait without a check returns when it runs; with an end, with the reason", async () => {
  await engine.ok("run", "--wait", "--name", "runs", "busybox", "sleep", "1000");
  expect(await inspect("runs", ".State.Running")).toBe("true");
  const ended = await engine.berth(
    "run",
    "--wait",
    "--health-tcp",
    "80",
    "busybox",
    "sh",
    "-c",
    "sleep 0.3; exit 3",
  );
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("ended by itself with exit code 3");
  const late = await engine.berth(
    "run",
    "--wait",
    "--wait-timeout",
    "500ms",
    "--health-tcp",
    "80",
    "busybox",
    "sleep",
    "9",
  );
  expect(late.code).toBe(1);
  expect(late.stderr).toContain("was not healthy within 0.5 s");
});

const failing = ["--health-cmd", "test ! -e /bad", "--health-interval", "100ms", "--health-retries", "1"];

test("--health-on-failure restart starts it again, and it counts as a restart", async () => {
  const script =
    "trap 'exit 0' TERM; [ -e /seen ] || { touch /seen /bad; while :; do sleep 0.1; done; }; rm -f /bad; while :; do sleep 0.1; done";
  await engine.ok(
    "run",
    "-d",
    "--name",
    "again",
    ...failing,
    "--health-on-failure",
    "restart",
    "busybox",
    "sh",
    "-c",
    script,
  );
  await until("restarted", async () => (await inspect("again", ".RestartCount")) === "1");
  await health("again", "healthy");
  expect(await inspect("again", ".State.Running")).toBe("true");
});

test("--health-on-failure stop and kill end it, and it is told who did", async () => {
  const bad = "touch /bad; exec sleep 1000";
  const kinds = { stop: "SIGTERM", kill: "SIGKILL" };
  for (const [action, signal] of Object.entries(kinds)) {
    await engine.ok(
      "run",
      "-d",
      "--init",
      "--name",
      action,
      ...failing,
      "--health-on-failure",
      action,
      "busybox",
      "sh",
      "-c",
      bad,
    );
    await until(`${action} ended`, async () => (await inspect(action, ".State.Running")) === "false");
    const ended = JSON.parse(await inspect(action, "json .State.Ended"));
    expect(ended).toMatchObject({ Cause: "signal", By: "health", Signals: [signal] });
  }
});

test("what is no check is refused", async () => {
  const cases: [string[], string][] = [
    [["--health-tcp", "0"], "invalid port"],
    [["--health-http", "80/a b"], "invalid path"],
    [["--health-log", "("], "invalid regular expression"],
    [["--health-log", "x", "--log-driver", "none"], "needs a log"],
    [["--health-on-failure", "explode"], "must be one of none, restart, stop, kill"],
    [["--health-tcp", "1", "--health-log", "x"], "only one of"],
  ];
  for (const [flags, sentence] of cases) {
    const { code, stderr } = await engine.berth("create", ...flags, "busybox");
    expect([code !== 0, stderr]).toEqual([true, expect.stringContaining(sentence)]);
  }
});
