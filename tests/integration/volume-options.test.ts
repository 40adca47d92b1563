/** Options of the local volume driver: what is mounted while a container uses a volume, and only then. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsBelow, startEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-volume-options-"));
}, 120_000);
afterAll(async () => {
  await engine.destroy();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const options = (values: Record<string, string>): string[] =>
  Object.entries(values).flatMap(([key, value]) => ["--opt", `${key}=${value}`]);
const mounted = () => mountsBelow(join(engine.home, "data/volumes"));
const shell = (volume: string, script: string) =>
  engine.berth("run", "--rm", "-v", `${volume}:/v`, "busybox", "sh", "-c", script);

test("a bind is there while containers use it, over a restart of the engine too, and its data is never deleted", async () => {
  const source = join(folder, "source");
  await mkdir(source);
  await writeFile(join(source, "kept"), "host");
  await engine.ok("volume", "create", ...options({ type: "none", o: "bind", device: source }), "bound");
  expect(await mounted()).toEqual([]);
  await engine.ok("run", "-d", "--name", "one", "-v", "bound:/v", "busybox", "sleep", "600");
  await engine.ok("run", "-d", "--name", "two", "-v", "bound:/v", "busybox", "sleep", "600");
  expect(await mounted()).toHaveLength(1);
  expect(await engine.ok("exec", "one", "cat", "/v/kept")).toBe("host");
  await engine.stop("SIGKILL");
  await engine.start();
  expect(await mounted()).toHaveLength(1);
  await engine.ok("rm", "-f", "one");
  expect(await mounted()).toHaveLength(1);
  expect((await engine.berth("volume", "rm", "bound")).stderr).toContain("volume is in use");
  await engine.ok("rm", "-f", "two");
  expect(await mounted()).toEqual([]);
  await engine.ok("volume", "rm", "bound");
  expect(await readdir(source)).toEqual(["kept"]);
}, 120_000);

test("a read-only bind cannot be written", async () => {
  await engine.ok("volume", "create", ...options({ type: "none", o: "bind,ro", device: folder }), "readonly");
  const tried = await shell("readonly", "touch /v/x");
  expect(tried.stderr).toContain("Read-only file system");
  await engine.ok("volume", "rm", "readonly");
}, 120_000);

test("memory has its size and mode, and is empty for the next run", async () => {
  const o = "size=1m,mode=750,uid=7";
  await engine.ok("volume", "create", ...options({ type: "tmpfs", device: "tmpfs", o }), "memory");
  const first = await shell(
    "memory",
    "stat -c '%a %u' /v; df -k /v | tail -1 | awk '{print $2}'; touch /v/f",
  );
  expect(first.stdout).toBe("750 7\n1024\n");
  expect((await shell("memory", "ls /v")).stdout).toBe("");
  await engine.ok("volume", "rm", "memory");
}, 120_000);

test("a size is a limit, what is written stays, and the volume is filled from the image like any other", async () => {
  await engine.ok("volume", "create", ...options({ size: "8m" }), "limited");
  const full = await shell("limited", "echo kept > /v/f; ls -A /v; dd if=/dev/zero of=/v/big bs=1M count=20");
  expect([full.code, full.stdout]).toEqual([1, "f\n"]);
  expect(full.stderr).toContain("No space left on device");
  expect(await mounted()).toEqual([]);
  expect((await shell("limited", "cat /v/f")).stdout).toBe("kept\n");
  await engine.ok("volume", "create", ...options({ size: "16m" }), "filled");
  expect(await engine.ok("run", "--rm", "-v", "filled:/etc", "busybox", "ls", "/etc/passwd")).toBe(
    "/etc/passwd",
  );
  await engine.ok("volume", "rm", "limited", "filled");
}, 120_000);

test("a new volume is filled when its container is made, and not again once it was emptied", async () => {
  await engine.ok("create", "--name", "maker", "-v", "made:/etc", "busybox", "true");
  expect((await shell("made", "ls /v/passwd; rm -rf /v/*")).stdout).toBe("/v/passwd\n");
  await engine.ok("start", "--attach", "maker");
  expect((await shell("made", "ls /v/passwd")).code).not.toBe(0);
  await engine.ok(
    "create",
    "--name",
    "heir",
    "--volumes-from",
    "maker",
    "-v",
    "/anonymous",
    "busybox",
    "true",
  );
  expect(await mounted()).toEqual([]);
  await engine.ok("rm", "--volumes", "maker", "heir");
  await engine.ok("volume", "rm", "made");
}, 120_000);

test("what cannot be mounted fails the start with the kernel's reason, and leaves nothing", async () => {
  const device = join(folder, "nosuch");
  await engine.ok("volume", "create", ...options({ type: "none", o: "bind", device }), "missing");
  const failed = await shell("missing", "true");
  const data = join(engine.home, "data/volumes/missing/_data");
  expect([failed.code, failed.stderr.split("\n")[0]]).toEqual([
    127,
    `berth: Error response from daemon: error while mounting volume '${data}': failed to mount local volume: mount ${device}:${data}, flags: 0x1000: no such file or directory`,
  ]);
  await engine.ok(
    "volume",
    "create",
    ...options({ type: "nosuchfs", o: "x,password=secret", device: "d" }),
    "odd",
  );
  const odd = await shell("odd", "true");
  expect(odd.stderr).toContain("data: x,password=********: no such device");
  expect(await mounted()).toEqual([]);
  await engine.ok("volume", "create", ...options({ type: "tmpfs", device: "" }), "nothing");
  expect((await shell("nothing", "true")).stderr).toContain("missing device in volume options");
  await engine.ok("volume", "rm", "missing", "odd", "nothing");
}, 120_000);

test("a copy into a stopped container reaches what its volume leads to", async () => {
  const source = join(folder, "copied");
  await mkdir(source);
  await writeFile(join(folder, "file"), "copied");
  await engine.ok("volume", "create", ...options({ type: "none", o: "bind", device: source }), "target");
  await engine.ok("create", "--name", "still", "-v", "target:/v", "busybox");
  await engine.ok("cp", join(folder, "file"), "still:/v/file");
  expect(await readFile(join(source, "file"), "utf8")).toBe("copied");
  await engine.ok("rm", "still");
  await engine.ok("volume", "rm", "target");
  expect(await mounted()).toEqual([]);
}, 120_000);

test("prune and usage leave out what only leads elsewhere", async () => {
  await engine.ok("volume", "create", ...options({ type: "none", o: "bind", device: folder }), "elsewhere");
  await engine.ok("volume", "create", "plain");
  expect(await engine.ok("volume", "prune", "--all", "--force")).toContain("plain");
  expect(await engine.ok("volume", "ls", "-q")).toBe("elsewhere");
  await engine.ok("volume", "rm", "elsewhere");
}, 120_000);
