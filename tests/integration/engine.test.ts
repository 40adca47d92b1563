/** The engine itself: side by side with another, its stop, its start by the client, its promises about resources. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

test("two engines share one machine without seeing each other", async () => {
  const other = await startEngine({ images: ["busybox"], beside: engine });
  try {
    await engine.ok(
      "run",
      "-d",
      "--name",
      "same",
      "-p",
      "18101:80",
      "busybox",
      "sh",
      "-c",
      "echo one > /i; httpd -f -h /",
    );
    await other.ok(
      "run",
      "-d",
      "--name",
      "same",
      "-p",
      "18102:80",
      "busybox",
      "sh",
      "-c",
      "echo two > /i; httpd -f -h /",
    );
    for (const [port, answer] of [
      ["18101", "one\n"],
      ["18102", "two\n"],
    ] as const) {
      const fetched = await engine.run([
        "curl",
        "-sS",
        "--retry",
        "5",
        "--retry-connrefused",
        `http://127.0.0.1:${port}/i`,
      ]);
      expect(fetched.stdout).toBe(answer);
    }
    expect(await engine.ok("ps", "-q")).not.toBe(await other.ok("ps", "-q"));
    await other.ok("rm", "-f", "same");
    const still = await engine.run(["curl", "-sS", "http://127.0.0.1:18101/i"]);
    expect(still.stdout).toBe("one\n");
  } finally {
    await other.destroy();
  }
  await engine.ok("rm", "-f", "same");
}, 120_000);

test("after the last container nothing is left in the kernel, before and after the engine's stop", async () => {
  await engine.ok("run", "--rm", "-p", "18103:80", "busybox", "true");
  const left = async (): Promise<string[]> =>
    (await engine.leftovers()).filter((line) => !/^process/.test(line));
  expect(await until(left, (all) => all.length === 0)).toEqual([]);
  expect(await engine.stop("SIGTERM")).toBe(0);
  expect(
    await until(
      () => engine.leftovers(),
      (all) => all.length === 0,
    ),
  ).toEqual([]);
  expect(await readdir(engine.home)).not.toContain("pid");
  expect(await readdir(engine.home)).not.toContain("berth.sock");
  await engine.start();
});

test("containers outlive a clean stop and are found again", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "stays",
    "busybox",
    "sh",
    "-c",
    "echo before; sleep 1.5; echo after; sleep 100",
  );
  await engine.stop("SIGTERM");
  await Bun.sleep(2500);
  await engine.start();
  expect(await engine.ok("ps", "--format", "{{.Names}} {{.State}}")).toBe("stays running");
  const said = (): Promise<string> => engine.ok("logs", "stays");
  expect(await until(said, (all) => all.includes("after"))).toBe("before\nafter");
  await engine.ok("rm", "-f", "stays");
});

test("an engine that is stopped does not wait for commands that run in its containers", async () => {
  await engine.ok("run", "-d", "--name", "busy", "busybox", "sleep", "600");
  await engine.ok("exec", "-d", "busy", "sleep", "500");
  const attached = engine.berth("exec", "busy", "sleep", "400");
  const running = async (): Promise<number> => (await engine.ok("top", "busy")).split("sleep").length - 1;
  while ((await running()) < 3) await Bun.sleep(20);
  // it ends with 1 when its 15 seconds are over
  expect(await engine.stop("SIGTERM")).toBe(0);
  expect((await attached).code).not.toBe(0);
  await engine.start();
  expect(await running()).toBe(3);
  await engine.ok("rm", "-f", "busy");
}, 120_000);

test("restart policies hold over a reboot: the exec root is gone, every process too", async () => {
  await engine.ok("run", "-d", "--name", "always", "--restart", "always", "busybox", "sleep", "1000");
  await engine.ok(
    "run",
    "-d",
    "--name",
    "stopped",
    "--restart",
    "unless-stopped",
    "busybox",
    "sleep",
    "1000",
  );
  await engine.ok("run", "-d", "--name", "plain", "busybox", "sleep", "1000");
  await engine.ok("stop", "-t", "0", "stopped");
  const first = await engine.ok("inspect", "-f", "{{.State.Pid}}", "always", "plain");
  await engine.stop("SIGKILL");
  const pids = (await run(["pgrep", "-f", engine.home])).stdout.split("\n");
  for (const pid of [...pids, ...first.split("\n")].filter(Boolean)) await run(["kill", "-9", pid]);
  await run([
    "bash",
    "-c",
    `grep -oE ' ${engine.home}/[^ ]+' /proc/mounts | sort -r | xargs -r -n1 umount -l`,
  ]);
  await rm(join(engine.home, "exec"), { recursive: true, force: true });
  await engine.start();
  const states = async (): Promise<string[]> =>
    (await engine.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).split("\n").sort();
  const wanted = ["always running", "plain exited", "stopped exited"];
  expect(await until(states, (all) => Bun.deepEquals(all, wanted))).toEqual(wanted);
  await engine.ok("rm", "-f", "always", "plain", "stopped");
}, 120_000);

test("the client starts an engine where none runs, and says so", async () => {
  const home = await mkdtemp(join(tmpdir(), "berth-auto-"));
  // a mount namespace of its own, so that the default paths of this machine stay untouched
  const script = `mkdir -p ${home}/{lib,run,log} && mkdir -p /var/lib/berth /run/berth && mount --make-rprivate / \
    && mount --bind ${home}/lib /var/lib/berth && mount --bind ${home}/run /run && mount --bind ${home}/log /var/log \
    && ${berth} ps && ${berth} ps 2>&1 && read -r pid </run/berth.pid && kill $pid && while kill -0 $pid 2>&-; do sleep 0.05; done`;
  const env = { DOCKER_HOST: "", BERTH_HOST: "" };
  const { code, stdout, stderr } = await run(engine.inNetwork(["unshare", "--mount", "bash", "-c", script]), {
    env,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("start") });
  expect(stdout.match(/CONTAINER ID/g)?.length).toBe(2);
  await rm(home, { recursive: true, force: true });
});

test("without the right to start one, the client says how to reach an engine", async () => {
  const { code, stderr } = await run([berth, "-H", "unix:///nonexistent/berth.sock", "ps"]);
  expect(code).toBe(1);
  expect(stderr).toContain("Cannot connect to the");
  expect(stderr).toContain("unix:///nonexistent/berth.sock");
});

test("doctor names every requirement and how to meet what is missing", async () => {
  const { code, stdout } = await engine.berth("doctor");
  expect(code).toBe(0);
  for (const word of ["crun", "conmon", "nftables", "overlay", "cgroup"]) expect(stdout).toContain(word);
  const poor = await run(["env", "PATH=/nonexistent", berth, "doctor"]);
  expect(poor.code).toBe(1);
  expect(poor.stdout + poor.stderr).toMatch(/apt(-get)? install.*conmon/);
});
