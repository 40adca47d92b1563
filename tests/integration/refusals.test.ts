/** What must be refused: unusable roots, second engines, hostile archives, wrong requests. Each changes nothing. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { berth, run, startEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

const daemon = (...flags: string[]) =>
  run(engine.inNetwork([berth, "daemon", ...flags]), { timeoutMs: 10_000 });

test("a second engine on the same root is refused", async () => {
  const [data, exec] = [join(engine.home, "data"), join(engine.home, "exec2")];
  const { code, stderr } = await daemon(
    "--data-root",
    data,
    "--exec-root",
    exec,
    "-H",
    `${engine.host}2`,
    "--pidfile",
    join(engine.home, "pid2"),
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/another engine/);
  expect((await engine.api("/_ping")).ok).toBe(true);
});

test("a data root that is a file is refused", async () => {
  const file = join(engine.home, "file");
  await writeFile(file, "");
  const { code, stderr } = await daemon(
    "--data-root",
    file,
    "--exec-root",
    join(engine.home, "exec3"),
    "-H",
    `${engine.host}3`,
    "--pidfile",
    join(engine.home, "pid3"),
  );
  expect(code).toBe(1);
  expect(stderr).toContain(file);
});

test("roots that cannot be used are refused with one sentence, and nothing is made of them", async () => {
  const place = join(engine.home, "roots");
  const [readOnly, tiny, broken] = ["read-only", "tiny", "broken"].map((name) => join(place, name));
  if (!readOnly || !tiny || !broken) throw new Error("no folders");
  for (const folder of [readOnly, tiny, broken]) await mkdir(folder, { recursive: true });
  await writeFile(join(broken, "state.db"), "no database");
  const tmpfs = async (options: string, at: string) =>
    expect((await run(["mount", "-t", "tmpfs", "-o", options, "none", at])).code).toBe(0);
  const fine = join(place, "fine");
  const cases: [data: string, exec: string, sentence: RegExp][] = [
    [join(readOnly, "data"), fine, /cannot use the data root .*: read-only file system$/],
    [join(tiny, "data"), fine, /database or disk is full|no space left on device/],
    [broken, fine, /state\.db: file is not a database$/],
    ["relative", fine, /data-root "relative" is not an absolute path$/],
    ["/proc/data", fine, /cannot use the data root \/proc\/data/],
    [fine, join(readOnly, "exec"), /cannot use the exec root .*: read-only file system$/],
    [fine, fine, /the data root and the exec root are the same folder/],
  ];
  try {
    await tmpfs("ro", readOnly);
    await tmpfs("size=64k", tiny);
    for (const [data, exec, sentence] of cases) {
      const { code, stderr } = await daemon(
        "--data-root",
        data,
        "--exec-root",
        exec,
        "-H",
        `${engine.host}4`,
        "--pidfile",
        join(engine.home, "pid4"),
      );
      const told = stderr.split("\n").filter((line) => line.startsWith("berth daemon: "));
      expect([code, told.length]).toEqual([1, 1]);
      expect(told[0]).toMatch(sentence);
    }
  } finally {
    for (const folder of [readOnly, tiny]) await run(["umount", "-l", folder]);
    await rm(place, { recursive: true, force: true });
  }
}, 120_000);

test("a sparse file that no disk here could hold is refused by its size, from a small archive", async () => {
  const folder = join(engine.home, "sparse");
  await mkdir(folder);
  const script = `cd ${folder} && truncate -s 8T huge && tar cSf huge.tar huge && rm huge && du -k huge.tar`;
  expect((await run(["bash", "-c", script])).code).toBe(0);
  const { code, stderr } = await engine.berth("import", join(folder, "huge.tar"), "huge");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/the archive would unpack to|larger than|free or allowed/),
  ]);
  expect(await engine.ok("images", "-q", "huge")).toBe("");
  await rm(folder, { recursive: true });
}, 120_000);

test("unknown and unbuilt daemon options are refused by name", async () => {
  const config = join(engine.home, "daemon.json");
  await writeFile(config, '{"no-such-key": 1}');
  const unknown = await daemon("--config-file", config, "--validate");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain(
    "the following directives don't match any configuration option: no-such-key",
  );
});

test("a wrong or oversized body is refused", async () => {
  const post = (body: string) =>
    engine.api("/containers/create", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
  expect((await post("{")).status).toBe(400);
  expect((await post('{"Image": 5}')).status).toBe(400);
  expect((await post(`{"Image": "busybox", "Env": ["${"x".repeat(20 << 20)}"]}`)).status).toBe(413);
  expect((await post('{"Image": "nosuchimage"}')).status).toBe(404);
  expect(await engine.ok("ps", "-aq")).toBe("");
});

test("broken and hostile archives are refused with one sentence and leave nothing", async () => {
  const folder = join(engine.home, "archives");
  await mkdir(folder, { recursive: true });
  const script = `cd ${folder}
    mkdir -p d/sub && echo x > d/sub/f && tar -C d -cf good.tar .
    head -c 700 good.tar > truncated.tar
    gzip -c good.tar | head -c 100 > truncated.tar.gz
    printf 'garbage that is no archive, long enough to be read as one............' > garbage.tar
    tar -C d -cPf climbing.tar --transform 's#^./sub/f#../../../escaped#' ./sub/f
    ln -s / d/out && tar -C d -cf link.tar out && mkdir e && mkdir e/out && echo owned > e/out/escaped && tar -C e -rf link.tar out/escaped`;
  expect((await run(["bash", "-c", script])).code).toBe(0);
  for (const name of ["truncated.tar", "truncated.tar.gz", "garbage.tar"]) {
    const { code, stderr } = await engine.berth("import", join(folder, name), "hostile");
    expect({ name, code }).toEqual({ name, code: 1 });
    expect(stderr.trim().split("\n").length).toBe(1);
  }
  for (const name of ["climbing.tar", "link.tar"])
    await engine.berth("import", join(folder, name), "hostile");
  expect(await Bun.file("/escaped").exists()).toBe(false);
  expect(await Bun.file(join(engine.home, "escaped")).exists()).toBe(false);
  await engine.berth("rmi", "hostile");
  await rm(folder, { recursive: true });
});

test("a busy port is told before the process starts", async () => {
  await engine.ok("run", "-d", "--name", "first", "-p", "18090:80", "busybox", "sleep", "100");
  const second = await engine.berth(
    "run",
    "--name",
    "second",
    "-p",
    "18090:80",
    "busybox",
    "touch",
    "/started",
  );
  expect(second.code).toBe(125);
  expect(second.stderr).toContain("Bind for 0.0.0.0:18090 failed: port is already allocated");
  expect(await engine.ok("inspect", "-f", "{{.State.Status}}", "second")).toBe("created");
  await engine.ok("rm", "-f", "first", "second");
});

test("nothing in the folder where berth is run is executed or believed", async () => {
  const folder = join(engine.home, "evil");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
  await writeFile(join(folder, "evil.ts"), 'console.log("taken over");\n');
  await writeFile(join(folder, ".env"), "BERTH_HOST=unix:///nowhere\n");
  const { code, stdout } = await engine.run(["sh", "-c", 'cd "$0" && exec "$1" ps -q', folder, berth]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
});

test("commands of a swarm say that there is none", async () => {
  const manager = /^Error response from daemon: This node is not a swarm manager\. /;
  for (const words of [
    "node ls",
    "service create --name x busybox",
    "secret ls",
    "config rm x",
    "stack deploy -c x y",
  ])
    expect(await engine.berth(...words.split(" "))).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(manager),
    });
  const left = await engine.berth("swarm", "leave");
  expect([left.code, left.stderr]).toEqual([
    1,
    "Error response from daemon: This node is not part of a swarm\n",
  ]);
  expect(await engine.ok("--help")).not.toContain("swarm");
}, 60_000);
