/** What containers can do here and not with Docker: another program once, tools beside a container, exec in a stopped one. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { berth, processesWith, startEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

test("start --entrypoint runs another program once, on the same files", async () => {
  await engine.ok("run", "--name", "once", "busybox", "sh", "-c", "echo kept >> /file; wc -l < /file");
  const other = await engine.berth("start", "-a", "--entrypoint", "cat", "once", "/file");
  expect([other.code, other.stdout]).toEqual([0, "kept\n"]);
  expect(
    await engine.ok("start", "-a", "--entrypoint", "sh", "once", "--", "-c", "echo $0 $1", "a", "b"),
  ).toBe("a b");
  expect(await engine.ok("start", "-a", "once")).toBe("2");
  expect(await engine.ok("inspect", "-f", "{{.Path}} {{.Config.Entrypoint}}", "once")).toBe("sh []");
  const missing = await engine.berth("start", "--entrypoint", "/nope", "once");
  expect(missing.code).toBe(1);
  expect(await engine.ok("start", "-a", "once")).toBe("3");
}, 120_000);

test("debug runs tools in the namespaces of a container whose image has none", async () => {
  // an image of one program, with no shell
  await engine.ok(
    "run",
    "--name",
    "maker",
    "busybox",
    "sh",
    "-c",
    "mkdir /only; cp /bin/busybox /only/sleep",
  );
  const tar = await engine.run(["sh", "-c", `${berth} cp maker:/only/. - | cat`]);
  expect(tar.code).toBe(0);
  await engine.run(["sh", "-c", `${berth} cp maker:/only/. - | ${berth} import - bare`]);
  await engine.ok("run", "-d", "--name", "bare", "-v", "data:/data", "bare", "/sleep", "300");
  expect((await engine.berth("exec", "bare", "sh", "-c", "true")).code).not.toBe(0);
  const seen = await engine.ok(
    "debug",
    "bare",
    "sh",
    "-c",
    "tr '\\0' ' ' < /proc/1/cmdline; echo; ls /target/sleep; echo hi > /target/data/file; hostname",
  );
  const short = (await engine.ok("inspect", "-f", "{{.Id}}", "bare")).slice(0, 12);
  expect(seen.split("\n")).toEqual(["/sleep 300 ", "/target/sleep", short]);
  expect(await engine.ok("run", "--rm", "-v", "data:/data", "busybox", "cat", "/data/file")).toBe("hi");
  const inside = "ip -4 -o addr show eth0 | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1";
  expect(await engine.ok("debug", "bare", "sh", "-c", inside)).toBe(
    await engine.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "bare"),
  );
  expect(await engine.ok("ps", "-aq", "--filter", "label=berth.debug")).toBe("");
  await engine.ok("stop", "-t0", "bare");
  const stopped = await engine.berth("debug", "bare", "true");
  expect(stopped.stderr).toContain("container bare is not running");
}, 120_000);

test("exec --stopped runs a command on the files of a container that does not run", async () => {
  await engine.ok(
    "run",
    "--name",
    "done",
    "-e",
    "OWN=1",
    "-v",
    "vol:/vol",
    "-w",
    "/tmp",
    "busybox",
    "sh",
    "-c",
    "echo log; echo x > /kept",
  );
  const plain = await engine.berth("exec", "done", "true");
  expect(plain.stderr).toContain("is not running");
  const said = await engine.ok(
    "exec",
    "--stopped",
    "done",
    "sh",
    "-c",
    "cat /kept; pwd; echo $OWN; echo y > /vol/file; echo more >> /kept; ip -o link | wc -l",
  );
  expect(said).toBe("x\n/tmp\n1\n2");
  const failing = await engine.berth("exec", "--stopped", "done", "sh", "-c", "echo bad >&2; exit 7");
  expect([failing.code, failing.stderr]).toEqual([7, "bad\n"]);
  const piped = await engine.run([berth, "exec", "-i", "--stopped", "done", "cat"], { input: "typed" });
  expect(piped.stdout).toBe("typed");
  expect((await engine.berth("exec", "--stopped", "done", "/nope")).code).toBe(127);
  expect(await engine.ok("inspect", "-f", "{{.State.Status}} {{.State.Pid}}", "done")).toBe("exited 0");
  expect(await engine.ok("logs", "done")).toBe("log");

  await engine.ok("exec", "-d", "--stopped", "done", "sleep", "300");
  const busy = await engine.berth("start", "done");
  expect(busy.stderr).toContain("a command runs in the stopped container done");
  expect((await engine.berth("rm", "done")).code).toBe(1);
  await engine.ok("rm", "-f", "done");
  expect(await engine.ok("run", "--rm", "-v", "vol:/vol", "busybox", "cat", "/vol/file")).toBe("y");
  expect(await engine.ok("ps", "-aq", "--filter", "name=done")).toBe("");
}, 120_000);

test("a command in a stopped container goes with the engine that ran it, and the container starts again", async () => {
  await engine.ok("create", "--name", "fresh", "busybox", "sh", "-c", "cat /made");
  await engine.ok("exec", "--stopped", "fresh", "sh", "-c", "echo hi > /made");
  await engine.ok("exec", "-d", "--stopped", "fresh", "sleep", "4321");
  const sleeping = () => processesWith(["sleep", "4321"].join("\0"));
  while ((await sleeping()).length === 0) await Bun.sleep(10); // its process is there a moment before its program
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await engine.ok("start", "-a", "fresh")).toBe("hi");
  expect(await processesWith("sleep\x004321")).toEqual([]);
}, 120_000);

test("cp --glob copies what a pattern names and follows no link out", async () => {
  const script =
    "mkdir -p /l/a /l/b; echo 1 > /l/a/x.log; echo 2 > /l/b/y.log; echo no > /l/b/z; ln -s /etc/passwd /l/p.log; ln -s / /l/out";
  await engine.ok("run", "--name", "globbed", "busybox", "sh", "-c", script);
  const into = `${engine.home}/globbed`;
  await engine.run(["mkdir", into]);
  await engine.ok("cp", "--glob", "globbed:/l/**/*.log", into);
  const found = await engine.run(["sh", "-c", `cd ${into} && find . | sort && readlink p.log`]);
  expect(found.stdout.split("\n").filter(Boolean)).toEqual([
    ".",
    "./a",
    "./a/x.log",
    "./b",
    "./b/y.log",
    "./p.log",
    "/etc/passwd",
  ]);
  expect((await engine.berth("cp", "--glob", "globbed:/l/out/etc/*", into)).code).toBe(0); // within the container's root
  const none = await engine.berth("cp", "--glob", "globbed:/l/*.none", into);
  expect(none.stderr).toContain("nothing in globbed matches");
}, 120_000);
