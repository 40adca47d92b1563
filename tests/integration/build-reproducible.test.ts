/**
 * With SOURCE_DATE_EPOCH an image's digest depends on its inputs alone: built on two engines that have nothing in common
 * (file system, umask, time zone, language, host name, load), from contexts laid out differently, through every front door.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { dockerfile, epoch, layOut } from "../harness/reproducible-context.ts";

setDefaultTimeout(180_000);

const plugins = ["/usr/local/lib", "/usr/lib", "/usr/libexec", "/usr/local/libexec"];
const hasBuildx = plugins.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));
if (!hasBuildx) console.log("SKIPPED docker's own client: buildx is not on this machine");

let one: TestEngine;
let other: TestEngine;
let home = "";
let onMemory = "";
let contexts: { plain: string; other: string };

const succeeded = ({ code, stdout, stderr }: Outcome): string => {
  if (code !== 0) throw new Error(`${code}: ${stderr}${stdout}`);
  return stdout.trim();
};

/** An engine of another machine: its data in memory, in another time zone and language, with another umask and name. */
const elsewhere = {
  env: { TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
  wrapper: [
    "unshare",
    "--uts",
    "sh",
    "-c",
    'hostname elsewhere && umask 077 && mkdir -p "$4" && mount -t tmpfs -o mode=0711 tmpfs "$4" && exec "$@"',
    "sh",
  ],
};

beforeAll(async () => {
  [one, other] = await Promise.all([startEngine({ images: ["busybox"] }), startEngine(elsewhere)]);
  home = await mkdtemp(join(tmpdir(), "berth-reproducible-"));
  onMemory = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "berth-reproducible-"));
  const base = join(home, "base.tar");
  await one.ok("save", "-o", base, "busybox");
  await other.ok("load", "-q", "-i", base);
  contexts = { plain: join(home, "context"), other: join(onMemory, "elsewhere") };
  const archive = await archiveOf(join(home, "archive"));
  for (const [name, folder] of Object.entries(contexts))
    await layOut(folder, { other: name === "other", dockerfile, archive });
});

afterAll(async () => {
  for (const engine of [one, other]) await engine?.destroy();
  for (const folder of [home, onMemory]) if (folder) await rm(folder, { recursive: true, force: true });
});

/** With owners of its own, and without the folders that its files are in. */
async function archiveOf(folder: string): Promise<Uint8Array> {
  await mkdir(join(folder, "a/b"), { recursive: true });
  await writeFile(join(folder, "a/b/c"), "c");
  await writeFile(join(folder, "a/d"), "d");
  const file = `${folder}.tar`;
  succeeded(await run(["tar", "-C", folder, "--owner=77", "--group=78", "-cf", file, "a/d", "a/b/c"]));
  return await readFile(file);
}

interface Door {
  client: string;
  umask?: string;
  env?: Record<string, string>;
  args?: string[];
}

/** Builds and gives the image's ID. */
async function built(engine: TestEngine, context: string, door: Door): Promise<string> {
  const { client, umask = "022", env = {}, args = [] } = door;
  const file = join(home, `${crypto.randomUUID()}.id`);
  const contexts = ["mixed", "alone"].flatMap((name) => [
    "--build-context",
    `${name}=${context}/named/${name}`,
  ]);
  const epochs = ["--build-arg", `SOURCE_DATE_EPOCH=${epoch}`];
  const command = [client, "build", "-q", "--iidfile", file, ...epochs, ...contexts, ...args, context];
  const clean = { DOCKER_HOST: engine.host, BUILDX_NO_DEFAULT_ATTESTATIONS: "1", ...env };
  const wrapped = ["sh", "-c", `umask ${umask} && exec "$@"`, "sh", ...command];
  succeeded(await run(engine.inNetwork(wrapped), { env: clean, timeoutMs: 120_000 }));
  return await readFile(file, "utf8");
}

let first = "";

test("on the machine itself, twice", async () => {
  first = await built(one, contexts.plain, { client: berth });
  expect(await built(one, contexts.plain, { client: berth, args: ["--no-cache"] })).toBe(first);
});

test("on another machine, from the same context laid out otherwise, by a client of another umask, zone and language", async () => {
  const strange = { umask: "077", env: { TZ: "Pacific/Chatham", LC_ALL: "C" } };
  expect(await built(other, contexts.other, { client: berth, ...strange })).toBe(first);
});

test.skipIf(!hasBuildx)("by docker's own client, which sends the context", async () => {
  const stock = { client: "docker", args: ["--no-cache"] };
  const ids = await Promise.all([
    built(one, contexts.other, { ...stock, umask: "077" }),
    built(other, contexts.plain, stock),
  ]);
  expect(ids).toEqual([first, first]);
});

test("while the same build runs beside it, from either layout", async () => {
  const again = { client: berth, args: ["--no-cache"] };
  const ids = await Promise.all([
    built(one, contexts.other, again),
    built(one, contexts.plain, again),
    built(other, contexts.other, again),
  ]);
  expect(ids).toEqual([first, first, first]);
});
