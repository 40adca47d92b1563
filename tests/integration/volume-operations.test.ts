/** What volumes can beside Docker's: other names, copies, snapshots, archives, pins. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsBelow, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-volume-operations-"));
}, 120_000);
afterAll(async () => {
  await engine.destroy();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const volumes = () => join(engine.home, "data/volumes");
const shell = (volume: string, script: string) =>
  engine.ok("run", "--rm", "-v", `${volume}:/v`, "busybox", "sh", "-c", script);
const filled = async (name: string, ...options: string[]): Promise<void> => {
  await engine.ok("volume", "create", ...options, name);
  await shell(name, "echo one > /v/f; mkdir /v/d; ln -s ../f /v/d/l; chown 7:8 /v/f; chmod 4711 /v/f");
};
/** Files of a removed volume go in the background. */
async function emptied(): Promise<void> {
  const left = (): Promise<string[]> => readdir(volumes());
  expect(await until(left, (names) => names.length === 0)).toEqual([]);
}
const listing = "cd /v; stat -c '%n %u:%g %a' f; cat d/l; ls -A";
const asFilled = "f 7:8 4711\none\nd\nf";

test("a renamed volume stays with its containers, running and stopped, also over a restart of the engine", async () => {
  await filled("before", "--label", "k=v");
  await engine.ok("run", "-d", "--name", "runs", "-v", "before:/v", "busybox", "sleep", "600");
  await engine.ok("create", "--name", "stopped", "-v", "before:/v", "busybox", "cat", "/v/more");
  await engine.ok("volume", "rename", "before", "after");
  await engine.ok("exec", "runs", "sh", "-c", "echo more > /v/more");
  expect(await engine.ok("start", "-a", "stopped")).toBe("more");
  await engine.stop("SIGKILL");
  await engine.start();
  const format = "{{json .HostConfig.Binds}} {{(index .Mounts 0).Name}} {{(index .Mounts 0).Source}}";
  expect(await engine.ok("inspect", "-f", format, "runs")).toBe(
    `["after:/v"] after ${volumes()}/after/_data`,
  );
  expect(await engine.ok("volume", "inspect", "-f", "{{json .Labels}}", "after")).toBe('{"k":"v"}');
  expect((await engine.berth("volume", "inspect", "before")).code).toBe(1);
  expect((await engine.berth("volume", "rm", "after")).stderr).toContain("volume is in use");
  await filled("other");
  expect((await engine.berth("volume", "rename", "other", "after")).stderr).toContain(
    "there is a volume after",
  );
  expect((await engine.berth("volume", "rename", "other", "../x")).stderr).toContain("invalid characters");
  await engine.ok("rm", "-f", "runs", "stopped");
  await engine.ok("volume", "rm", "after", "other");
}, 120_000);

test("a rename that a crash cut short is finished by the next start", async () => {
  await filled("cut");
  await engine.stop("SIGKILL");
  await run(["mv", join(volumes(), "cut"), join(volumes(), "was")]);
  const { Database } = await import("bun:sqlite");
  const state = new Database(join(engine.home, "data/state.db"));
  state.run("UPDATE volumes SET moved_from = 'was' WHERE name = 'cut'");
  state.close();
  await engine.start();
  expect(await shell("cut", listing)).toBe(asFilled);
  expect(await readdir(volumes())).toEqual(["cut"]);
  await engine.ok("volume", "rm", "cut");
}, 120_000);

for (const options of [[], ["--opt", "size=16m"]])
  test(`clones, snapshots and archives hold all of ${options.at(-1) ?? "a plain volume"}`, async () => {
    await filled("source", ...options);
    await engine.ok("volume", "clone", "source", "copy");
    expect(await shell("copy", listing)).toBe(asFilled);
    expect(await engine.ok("volume", "inspect", "-f", "{{json .Options}}", "copy")).toBe(
      options.length ? '{"size":"16m"}' : "null",
    );

    expect(await engine.ok("volume", "snapshot", "source", "s1")).toBe("s1");
    await shell("source", "rm -r /v/*; echo two > /v/new");
    expect(await engine.ok("volume", "snapshots", "-q", "source")).toBe("s1");
    await engine.ok("run", "-d", "--name", "user", "-v", "source:/v", "busybox", "sleep", "600");
    expect((await engine.berth("volume", "restore", "source", "s1")).stderr).toContain("volume is in use");
    await engine.ok("rm", "-f", "user");
    expect((await engine.berth("volume", "restore", "source", "nosuch")).code).toBe(1);
    await engine.ok("volume", "restore", "source", "s1");
    expect(await shell("source", listing)).toBe(asFilled);
    await engine.ok("volume", "snapshots", "--rm", "s1", "source");
    expect(await engine.ok("volume", "snapshots", "-q", "source")).toBe("");

    const file = join(folder, "volume.tar");
    await engine.ok("volume", "export", "-o", file, "source");
    await engine.ok("volume", "import", ...options, "imported", file);
    expect(await shell("imported", listing)).toBe(asFilled);
    await rm(file);
    expect(await mountsBelow(volumes())).toEqual([]);
    await engine.ok("volume", "rm", "source", "copy", "imported");
    await emptied();
  }, 120_000);

test("running users stand still while a snapshot is taken, and go on", async () => {
  await filled("live");
  await engine.ok(
    "run",
    "-d",
    "--name",
    "writer",
    "-v",
    "live:/v",
    "busybox",
    "sh",
    "-c",
    "while :; do date > /v/t; done",
  );
  await engine.ok("volume", "snapshot", "live", "now");
  const events = await engine.ok("events", "--since", "10m", "--until", "0s", "--format", "{{.Action}}");
  expect(events.split("\n")).toContain("pause");
  expect(await engine.ok("inspect", "-f", "{{.State.Status}}", "writer")).toBe("running");
  await engine.ok("rm", "-f", "writer");
  await engine.ok("volume", "rm", "live");
}, 120_000);

test("an archive that is broken, or leads elsewhere, makes no volume", async () => {
  const broken = join(folder, "broken.tar");
  await writeFile(broken, "no archive at all".repeat(100));
  expect((await engine.berth("volume", "import", "odd", broken)).code).toBe(1);
  const outside = join(folder, "outside");
  const script = `mkdir -p ${folder}/t; ln -s ${folder} ${folder}/t/out; tar -C ${folder}/t -cf ${outside} out; rm ${folder}/t/out; mkdir ${folder}/t/out; echo x > ${folder}/t/out/escaped; tar -C ${folder}/t -rf ${outside} out/escaped`;
  expect((await run(["sh", "-c", script])).code).toBe(0);
  await engine.berth("volume", "import", "odd", outside);
  expect(await readFile(join(folder, "escaped"), "utf8").catch(() => "none")).toBe("none");
  await engine.berth("volume", "rm", "-f", "odd");
  await emptied();
}, 120_000);

test("a pinned volume outlives every prune, and usage tells it", async () => {
  await filled("kept");
  await engine.ok("volume", "pin", "kept");
  await engine.ok("volume", "prune", "--all", "--force");
  // what `compose down -v` sends
  expect((await engine.api("/volumes/kept?force=1", { method: "DELETE" })).status).toBe(409);
  const shown = await engine.ok(
    "volume",
    "du",
    "--format",
    "{{.Name}} {{.Size}} {{.Users}} {{.Pinned}}",
    "kept",
  );
  expect(shown).toBe("kept 8B 0 yes");
  await engine.ok("volume", "unpin", "kept");
  expect(await engine.ok("volume", "prune", "--all", "--force")).toContain("kept");
}, 120_000);
