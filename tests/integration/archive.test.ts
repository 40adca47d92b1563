/**
 * Archives of a container's files against hostile archives and hostile containers: whatever they do, nothing outside of
 * the container's root, volumes and binds is read or written.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TarEntry } from "../../src/lib/tar/entry.ts";
import { TarReader } from "../../src/lib/tar/reader.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../src/lib/tar/writer.ts";
import { berth, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue } from "../harness/until.ts";

const secret = "only the host may read this";
let engine: TestEngine;
let host: string;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  host = join(engine.home, "host");
  await mkdir(join(host, "shared"), { recursive: true });
  await writeFile(join(host, "canary"), secret);
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

type Member = Pick<TarEntry, "name"> & Partial<TarEntry> & { text?: string };

function tarOf(...members: Member[]): Uint8Array<ArrayBuffer> {
  const parts = members.flatMap(({ text = "", ...entry }) => {
    const content = Buffer.from(text);
    return [
      headerOf(tarEntry({ type: "file", size: content.length, ...entry })),
      content,
      padding(content.length),
    ];
  });
  return new Uint8Array(Buffer.concat([...parts, endOfArchive]));
}

function membersOf(tar: Uint8Array): { name: string; type: string; linkName: string; text: string }[] {
  const members: ReturnType<typeof membersOf> = [];
  const reader = new TarReader({
    entry: ({ name, type, linkName }) => void members.push({ name, type, linkName, text: "" }),
    data: (bytes) => {
      const last = members.at(-1);
      if (last) last.text += Buffer.from(bytes).toString();
    },
    end: () => undefined,
  });
  reader.push(tar);
  reader.finish();
  return members;
}

const archive = (container: string, path: string, more = ""): string =>
  `/containers/${container}/archive?path=${encodeURIComponent(path)}${more}`;

async function get(container: string, path: string) {
  const response = await engine.api(archive(container, path));
  const body = await response.bytes();
  return response.ok
    ? { status: response.status, members: membersOf(body), message: "" }
    : {
        status: response.status,
        members: [],
        message: (JSON.parse(Buffer.from(body).toString()) as { message: string }).message,
      };
}

async function put(container: string, path: string, tar: Uint8Array<ArrayBuffer>, more = "") {
  const response = await engine.api(archive(container, path, more), {
    method: "PUT",
    headers: { "Content-Type": "application/x-tar" },
    body: tar,
  });
  const text = await response.text();
  return {
    status: response.status,
    message: text === "" ? "" : (JSON.parse(text) as { message: string }).message,
  };
}

test("a container that does not run gives and takes files, with its volumes and binds over them", async () => {
  await engine.ok(
    "create",
    "--name",
    "still",
    "-v",
    "still:/deep/vol",
    "-v",
    `${host}/shared:/bind`,
    "-v",
    `${host}:/ro:ro`,
    "busybox",
    "true",
  );
  expect(await put("still", "/deep/vol", tarOf({ name: "in-volume", text: "v" }))).toMatchObject({
    status: 200,
  });
  expect(await put("still", "/bind", tarOf({ name: "in-bind", text: "b", uid: 12, gid: 13 }))).toMatchObject({
    status: 200,
  });
  expect(await readFile(join(host, "shared/in-bind"), "utf8")).toBe("b");
  const { members } = await get("still", "/deep");
  expect(members.map(({ name }) => name)).toEqual(["deep/", "deep/vol/", "deep/vol/in-volume"]);
  expect(await put("still", "/ro", tarOf({ name: "x" }))).toEqual({
    status: 400,
    message: "mounted volume is marked read-only",
  });
  expect(await put("still", "/", tarOf({ name: "ro/x", text: "x" }))).toEqual({
    status: 500,
    message: "openat ro/x: read-only file system",
  });
  expect(existsSync(join(host, "x"))).toBe(false);
  await engine.ok("rm", "-v", "still");
}, 120_000);

test("what is mounted is never removed for an entry of an archive", async () => {
  await engine.ok("run", "-d", "--name", "mounted", "-v", "kept:/a/kept", "busybox", "sleep", "1000");
  await engine.ok("exec", "mounted", "touch", "/a/kept/file");
  const before = await engine.ok("exec", "mounted", "cat", "/etc/hosts");
  const busy = (name: string) => ({
    status: 500,
    message: `RemoveAll ${name}: device or resource busy`,
  });
  expect(await put("mounted", "/etc", tarOf({ name: "hosts", text: "x" }))).toEqual(busy("hosts"));
  expect(await put("mounted", "/", tarOf({ name: "a", text: "x" }))).toEqual(busy("a"));
  expect(await put("mounted", "/a", tarOf({ name: "kept", text: "x" }))).toEqual(busy("kept"));
  expect(await engine.ok("exec", "mounted", "cat", "/etc/hosts")).toBe(before);
  expect(await engine.ok("exec", "mounted", "ls", "/a/kept")).toBe("file");
  await engine.ok("rm", "-f", "mounted");
  await engine.ok("volume", "rm", "kept");
}, 120_000);

test("names and links of a hostile archive stay below the folder it goes to", async () => {
  await engine.ok("run", "-d", "--name", "target", "busybox", "sleep", "1000");
  await engine.ok("exec", "target", "mkdir", "/t");
  const outside = `${host}/written`;
  for (const name of ["../x", "a/../../x", "/../../x"])
    expect(await put("target", "/t", tarOf({ name, text: "x" }))).toEqual({
      status: 500,
      message: `invalid entry name ${JSON.stringify(name)}`,
    });
  expect(
    await put("target", "/t", tarOf({ name: "hard", type: "hardlink", linkName: "../etc/passwd" })),
  ).toMatchObject({ status: 500 });
  expect(
    await put("target", "/t", tarOf({ name: "hard", type: "hardlink", linkName: `${host}/canary` })),
  ).toMatchObject({ status: 404 });
  const through = tarOf(
    { name: "out", type: "symlink", linkName: host },
    { name: "out/written", text: "x" },
    { name: "up", type: "symlink", linkName: "../../../../../../../.." },
    { name: `up${outside}`, text: "x" },
    { name: `up${host}/canary`, text: "overwritten" },
  );
  expect(await put("target", "/t", through)).toEqual({ status: 200, message: "" });
  expect(existsSync(outside)).toBe(false);
  expect(await readFile(join(host, "canary"), "utf8")).toBe(secret);
  // as Docker has it: the folder that is extracted in stands for the root
  expect(await engine.ok("exec", "target", "cat", `/t${outside}`)).toBe("x");
  await engine.ok("rm", "-f", "target");
}, 120_000);

test("neither /proc nor links to the host's files lead to the host", async () => {
  const script = `ln -s ${host}/canary /absolute; ln -s ../../../../../../../..${host}/canary /relative; ln -s /proc/1/root /magic; sleep 1000`;
  await engine.ok("run", "-d", "--name", "links", "busybox", "sh", "-c", script);
  expect(
    await comesTrue(async () => (await engine.berth("exec", "links", "test", "-L", "/magic")).code === 0),
  ).toBe(true);
  for (const path of ["/proc/1/root", "/proc/self/exe", "/magic/etc/passwd", "/absolute/", "/relative/"])
    expect(await get("links", path)).toMatchObject({ status: 404 });
  expect((await get("links", "/absolute")).members).toEqual([
    { name: "absolute", type: "symlink", linkName: `${host}/canary`, text: "" },
  ]);
  expect(await put("links", "/magic", tarOf({ name: "x" }))).toMatchObject({ status: 404 });
  await engine.ok("rm", "-f", "links");
}, 120_000);

test("a container that swaps folders and links all the time never gets a copy out of itself", async () => {
  // `way` is now a folder with a file, now one link or another to the host's folder, as fast as a shell can
  const swaps = [
    "mkdir -p /w/real; echo inside > /w/real/canary; cd /w",
    `ln -s ${host} absolute; ln -s ../../../../../../..${host} relative; ln -s /proc/1/root${host} magic`,
    "while :; do mv real way; mv way real; for l in absolute relative magic; do mv $l way; mv way $l; done; done",
  ].join("\n");
  await engine.ok("run", "-d", "--name", "hostile", "busybox", "sh", "-c", swaps);
  const until = Date.now() + 8000;
  const told = new Set<number>();
  const reading = async (path: string): Promise<void> => {
    while (Date.now() < until) {
      const { status, members } = await get("hostile", path);
      told.add(status);
      for (const { text } of members) expect(text).not.toContain(secret);
    }
  };
  const writing = async (path: string, prefix: string): Promise<void> => {
    while (Date.now() < until) {
      const { status } = await put(
        "hostile",
        path,
        tarOf(
          { name: `${prefix}canary`, text: "replaced", mode: 0o666 },
          { name: `${prefix}pipe`, type: "fifo", mode: 0o777 },
        ),
      );
      told.add(status);
    }
  };
  await Promise.all([
    reading("/w/way/canary"),
    reading("/w/way/"),
    reading("/w"),
    writing("/w/way", ""),
    writing("/w", "way/"),
  ]);
  expect(told.has(200)).toBe(true);
  expect(await readFile(join(host, "canary"), "utf8")).toBe(secret);
  expect((await readdir(host)).sort()).toEqual(["canary", "shared"]);
  await engine.ok("rm", "-f", "hostile");
}, 120_000);

test("pipes and devices come out with berth as with docker", async () => {
  const script =
    "mkdir /n; mkfifo -m 640 /n/p; mknod /n/zero c 1 5; mknod -m 600 /n/block b 7 300; echo x > /n/z";
  await engine.ok("run", "--name", "nodes", "busybox", "sh", "-c", script);
  const listed: string[] = [];
  for (const client of [berth, "docker"]) {
    const into = await mkdtemp(join(tmpdir(), "berth-nodes-"));
    const copied = await engine.run([client, "cp", "nodes:/n/.", into]);
    expect([copied.code, copied.stderr.includes("rror")]).toEqual([0, false]);
    listed.push((await run(["sh", "-c", `cd ${into} && stat -c '%n %F %a %t:%T' *`])).stdout);
    await rm(into, { recursive: true });
  }
  expect(listed[0]).toBe(listed[1] ?? "");
  expect(listed[0]).toContain("block block special file 600 7:12c\n");
  await engine.ok("rm", "nodes");
});

test("a client that stands still keeps nobody from removing the container, and leaves nothing", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "slow",
    "busybox",
    "sh",
    "-c",
    "dd if=/dev/zero of=/big bs=1M count=64 2> /dev/null; touch /done; sleep 1000",
  );
  expect(
    await comesTrue(async () => (await engine.berth("exec", "slow", "test", "-e", "/done")).code === 0),
  ).toBe(true);
  const response = await engine.api(archive("slow", "/big"));
  const reader = response.body?.getReader();
  await reader?.read();
  await engine.ok("rm", "-f", "slow");
  await reader?.cancel();
  expect((await engine.ok("ps", "-aq")).trim()).toBe("");
}, 120_000);

test("an export is the whole root, without what is mounted over it", async () => {
  await engine.ok("create", "--name", "whole", "-v", `${host}:/mounted`, "busybox", "true");
  const response = await engine.api("/containers/whole/export");
  const names = membersOf(await response.bytes()).map(({ name }) => name);
  expect(names).toContain("bin/");
  expect(names.some((name) => name.includes("canary") || name === "/" || name.startsWith("./"))).toBe(false);
  await engine.ok("rm", "whole");
}, 120_000);

test("a copy that the engine reads in place is what would have been sent, and never another file", async () => {
  await engine.ok("create", "--name", "place", "busybox", "true");
  const source = join(host, "in-place");
  await mkdir(join(source, "sub"), { recursive: true });
  await writeFile(join(source, "sub/file"), "a text");
  await symlink("/etc/shadow", join(source, "link"));
  await engine.ok("cp", source, "place:/copied");
  const { members: sent } = await get("place", "/copied");
  expect(sent.map(({ name, type }) => `${type} ${name}`).sort()).toEqual(
    ["directory copied/", "directory copied/sub/", "file copied/sub/file", "symlink copied/link"].sort(),
  );
  expect(sent.find(({ name }) => name === "copied/link")?.linkName).toBe("/etc/shadow");
  const { dev, ino } = await lstat(join(source, "sub/file"), { bigint: true });
  const request = {
    Path: "/",
    Source: join(host, "canary"),
    Name: "stolen",
    DeviceMajor: Number((dev >> 8n) & 0xfffn),
    DeviceMinor: Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn)),
    Inode: String(ino),
    MountNamespace: await readlink("/proc/self/ns/mnt"),
  };
  const other = await engine.api("/berth/containers/place/copy", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  expect(other.status).toBe(409);
  expect(await other.text()).toContain("is another file to the engine");
  expect((await engine.api(archive("place", "/stolen"))).status).toBe(404);
  // what the caller alone has mounted below the source is what it copies
  const mounted = `mount -t tmpfs tmpfs ${source}/sub && echo private >${source}/sub/file`;
  const script = `${mounted} && ${berth} cp ${source} place:/private && ${berth} cp place:/private/sub/file -`;
  const { stdout } = await engine.run(["unshare", "--mount", "sh", "-c", script]);
  expect(stdout).toContain("private\n");
  await engine.ok("rm", "place");
}, 120_000);

test("nothing is left once the engine has stopped", async () => {
  await engine.ok("create", "--name", "last", "busybox", "true");
  await get("last", "/etc");
  await engine.stop("SIGTERM");
  expect((await engine.leftovers()).filter((one) => one.startsWith("mount"))).toEqual([]);
  await engine.start();
  await engine.ok("rm", "last");
}, 120_000);
