/** Mounts of every kind beyond plain binds and volumes: images, parts of volumes, recursion, propagation. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsBelow, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  folder = await mkdtemp(join(tmpdir(), "berth-mounts-"));
}, 120_000);
afterAll(async () => {
  await engine.destroy();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const mount = (spec: string, ...command: string[]) =>
  engine.berth("run", "--rm", "--mount", spec, "busybox", ...command);

test("an image is mounted read-only, whole or in part, and cannot be removed meanwhile", async () => {
  await engine.ok(
    "run",
    "--name",
    "made",
    "busybox",
    "sh",
    "-c",
    "mkdir -p /data/in; echo hi > /data/in/file; ln -s /etc /data/out",
  );
  await engine.ok("commit", "made", "tools");
  await engine.ok("rm", "made");
  const whole = await mount(
    "type=image,source=tools,target=/i",
    "sh",
    "-c",
    "cat /i/data/in/file; touch /i/x",
  );
  expect(whole.stdout).toBe("hi\n");
  expect(whole.stderr).toContain("Read-only file system");
  const part = await mount("type=image,source=tools,target=/i,image-subpath=data/in", "ls", "/i");
  expect(part.stdout).toBe("file\n");
  const out = await mount("type=image,source=tools,target=/i,image-subpath=data/out", "ls", "/i");
  expect([out.code, out.stdout]).toEqual([125, ""]);
  expect(out.stderr).toContain("path concatenation escapes the base directory");

  await engine.ok(
    "run",
    "-d",
    "--name",
    "holder",
    "--mount",
    "type=image,source=tools,target=/i",
    "busybox",
    "sleep",
    "300",
  );
  const refused = await engine.berth("rmi", "tools");
  expect(refused.code).toBe(1);
  await engine.ok("rmi", "-f", "tools");
  expect(await engine.ok("exec", "holder", "cat", "/i/data/in/file")).toBe("hi");
  await engine.stop("SIGKILL");
  await engine.start();
  await engine.ok("restart", "-t0", "holder");
  expect(await engine.ok("exec", "holder", "cat", "/i/data/in/file")).toBe("hi");
  await engine.ok("cp", "holder:/i/data/in/file", join(folder, "copied"));
  expect(await Bun.file(join(folder, "copied")).text()).toBe("hi\n");
  await engine.ok("rm", "-f", "holder");
  const held = async (): Promise<string[]> =>
    (await mountsBelow(engine.home)).filter((point) => point.includes("-image"));
  expect(await until(held, (points) => points.length === 0)).toEqual([]);
}, 120_000);

test("a part of a volume is mounted, and no link leads out of it", async () => {
  await engine.ok(
    "run",
    "--rm",
    "-v",
    "data:/v",
    "busybox",
    "sh",
    "-c",
    "mkdir -p /v/a/b; echo hi > /v/a/f; ln -s /etc /v/out; ln -s a/b /v/in",
  );
  expect((await mount("type=volume,source=data,target=/m,volume-subpath=a", "cat", "/m/f")).stdout).toBe(
    "hi\n",
  );
  expect((await mount("type=volume,source=data,target=/m,volume-subpath=a/f", "cat", "/m")).stdout).toBe(
    "hi\n",
  );
  expect((await mount("type=volume,source=data,target=/m,volume-subpath=in", "ls", "/m")).code).toBe(0);
  const out = await mount("type=volume,source=data,target=/m,volume-subpath=out", "ls", "/m");
  expect(out.stderr).toContain("path concatenation escapes the base directory");
  const missing = await mount("type=volume,source=data,target=/m,volume-subpath=no", "ls", "/m");
  expect(missing.code).toBe(127);
  expect(missing.stderr).toContain("no such file or directory");
  const above = await mount("type=volume,source=data,target=/m,volume-subpath=../x", "ls", "/m");
  expect(above.stderr).toContain("subpath must be a relative path within the volume");
}, 120_000);

test("a read-only bind is so below, unless asked otherwise; propagation needs a source that propagates", async () => {
  await mkdir(join(folder, "bind/below"), { recursive: true });
  const bind = join(folder, "bind");
  await run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", join(bind, "below")]);
  try {
    const write = ["sh", "-c", "touch /m/below/x && echo wrote; ls -d /m/below/"];
    const tried = async (options: string) =>
      (await mount(`type=bind,source=${bind},target=/m,${options}`, ...write)).stdout;
    expect(await tried("ro")).toBe("/m/below/\n");
    expect(await tried("ro,bind-recursive=writable")).toBe("wrote\n/m/below/\n");
    expect(await tried("ro,bind-recursive=readonly,bind-propagation=rprivate")).toBe("/m/below/\n");
    const plain = await mount(
      `type=bind,source=${bind},target=/m,bind-recursive=disabled`,
      "ls",
      "-A",
      "/m/below",
    );
    expect(plain.stdout).toBe("");
    await run(["mount", "--make-private", join(bind, "below")]);
    const refused = await mount(`type=bind,source=${bind}/below,target=/m,bind-propagation=shared`, "true");
    expect(refused.stderr).toContain(
      `path ${bind}/below is mounted on ${bind}/below but it is not a shared mount`,
    );
    await run(["mount", "--make-shared", join(bind, "below")]);
    const shared = await mount(
      `type=bind,source=${bind}/below,target=/m,bind-propagation=rshared`,
      "sh",
      "-c",
      "grep -c ' /m .* shared:' /proc/self/mountinfo",
    );
    expect([shared.stdout, shared.stderr]).toEqual(["1\n", ""]);
  } finally {
    await run(["umount", "-l", join(bind, "below")]);
  }
}, 120_000);

test("what is mounted below a shared source stays mounted on the host, whatever was made of it", async () => {
  const source = join(folder, "tree");
  const below = join(source, "below");
  await mkdir(source);
  await run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", source]);
  try {
    await run(["mount", "--make-shared", source]);
    await mkdir(below);
    await run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", below]);
    await run(["touch", join(below, "file")]);
    for (const options of ["", ",ro", ",bind-propagation=rslave", ",idmap=0-0-65536"]) {
      const seen = await mount(`type=bind,source=${source},target=/m${options}`, "ls", "/m/below");
      expect([options, seen.stdout, seen.stderr]).toEqual([options, "file\n", ""]);
      expect([options, (await run(["ls", below])).stdout]).toEqual([options, "file\n"]);
    }
    const failed = await mount(`type=bind,source=${source},target=/m`, "/nonexistent");
    expect(failed.code).toBe(127);
    expect((await run(["ls", below])).stdout).toBe("file\n");
  } finally {
    await run(["umount", below]);
    await run(["umount", source]);
  }
}, 120_000);

test("a bind shows the owners its map says, and writes the real ones; elsewhere it is refused", async () => {
  const shared = join(folder, "mapped");
  await mkdir(shared);
  await run(["sh", "-c", `echo x > ${shared}/mine; chown 1000:1000 ${shared} ${shared}/mine`]);
  const spec = `type=bind,source=${shared},target=/s,idmap=1000-0-1`;
  const seen = await mount(spec, "sh", "-c", "stat -c '%u:%g' /s/mine; touch /s/new");
  const written = (await run(["stat", "-c", "%u:%g", join(shared, "new")])).stdout;
  expect({ ...seen, written }).toEqual({ code: 0, stdout: "0:0\n", stderr: "", written: "1000:1000\n" });
  const odd = await mount(`type=bind,source=${shared},target=/s,idmap=nonsense`, "true");
  expect(odd.stderr).toContain('invalid idmap "nonsense"');
  const none = await mount("type=bind,source=/proc,target=/s,idmap=1000-0-1", "true");
  expect(none.stderr).toContain("idmap of /proc: its file system");
}, 120_000);

/** Mounts a file system at `point` whose server never answers; gives what takes it away. */
async function mountHung(point: string): Promise<() => Promise<void>> {
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
  const script = `exec 3<>/dev/fuse; mount -i -t fuse -o ${options} hung "$0" && echo mounted; exec sleep 300`;
  const server = Bun.spawn(["sh", "-c", script, point], { stdin: "ignore", stdout: "pipe" });
  const { value } = await server.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("mounted\n");
  return async () => {
    await run(["umount", "-l", point]);
    server.kill("SIGKILL");
    await server.exited;
  };
}

test.skipIf(!existsSync("/dev/fuse"))(
  "binds and volumes on a file system that hangs are refused, and the engine works on",
  async () => {
    const hung = join(folder, "hung");
    await mkdir(hung);
    await symlink(hung, join(folder, "link"));
    await engine.ok("volume", "create", "silent");
    const data = await engine.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "silent");
    const ends: (() => Promise<void>)[] = [];
    try {
      for (const point of [hung, data]) ends.push(await mountHung(point));
      const volume = `type=volume,target=/m,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=${hung}/d`;
      const attempts = [
        mount(`type=bind,source=${hung}/a,target=/m`, "true"),
        mount(`type=bind,source=${folder}/link/b,target=/m`, "true"),
        engine.berth("run", "--rm", "-v", `${hung}/c:/m`, "busybox", "true"),
        mount(volume, "true"),
        engine.berth("run", "--rm", "-v", "silent:/m", "busybox", "true"),
      ];
      await engine.ok("run", "--rm", "-v", `${folder}:/m`, "busybox", "true");
      for (const { code, stderr } of await Promise.all(attempts)) {
        expect(stderr).toContain("its file system does not answer");
        expect(code).toBe(125);
      }
      await engine.ok("run", "--rm", "busybox", "true");
    } finally {
      for (const end of ends) await end();
    }
    await engine.ok("run", "--rm", "-v", "silent:/m", "-v", `${hung}/c:/n`, "busybox", "true");
    await engine.ok("volume", "rm", "silent");
  },
  60_000,
);
