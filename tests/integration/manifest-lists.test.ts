/** Lists of images for several platforms, made here and pushed to Debian's docker-registry as docker's client does. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, startEngine, type TestEngine } from "../harness/engine.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

const open = "127.0.0.1:5035";
const locked = "127.0.0.1:5036";
let engine: TestEngine;
let registries: TestRegistry[];
let config: string;

const berth = (...args: string[]) => engine.berth("--config", config, ...args);
const manifest = (...args: string[]) => berth("manifest", ...args);

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await berth(...args);
  if (code !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  return stdout.trimEnd();
}

/** Pushes an image of one file of its own. */
async function pushed(name: string, platform = "linux/amd64"): Promise<void> {
  const file = join(config, "file");
  await writeFile(file, name);
  const tar = join(config, "image.tar");
  const packed = await run(["tar", "-C", config, "-cf", tar, "file"]);
  if (packed.code !== 0) throw new Error(packed.stderr);
  await ok("import", "--platform", platform, tar, name);
  await ok("push", "-q", name);
}

beforeAll(async () => {
  config = await mkdtemp(join(tmpdir(), "berth-manifest-lists-"));
  engine = await startEngine({});
  registries = [
    await startRegistry(engine, { port: 5035 }),
    await startRegistry(engine, { port: 5036, login: { user: "me", password: "secret" } }),
  ];
  await pushed(`${open}/one:amd`);
  await pushed(`${open}/two/three:arm`, "linux/arm64");
});
afterAll(async () => {
  for (const registry of registries ?? []) await registry.destroy();
  await engine?.destroy();
  await rm(config, { recursive: true, force: true });
});

test("a list of two repositories' images is begun, told its platforms, pushed and pulled from", async () => {
  const list = `${open}/list:1`;
  const images = [`${open}/one:amd`, `${open}/two/three:arm`];
  expect(await ok("manifest", "create", list, ...images)).toBe(`Created manifest list ${list}`);
  const folder = join(config, "manifests", "127.0.0.1-5035_list-1");
  expect(readdirSync(folder).sort()).toEqual(["127.0.0.1-5035_one-amd", "127.0.0.1-5035_two_three-arm"]);
  expect((await manifest("create", list, ...images)).stderr).toBe(
    "refusing to amend an existing manifest list with no --amend flag\n",
  );
  await ok("manifest", "annotate", "--variant", "v8", "--os-features", "a,b", list, `${open}/two/three:arm`);
  const shown = await ok("manifest", "inspect", list);
  const { manifests } = JSON.parse(shown);
  expect(manifests.map(({ platform }: { platform: unknown }) => platform)).toEqual([
    { architecture: "amd64", os: "linux" },
    { architecture: "arm64", os: "linux", "os.features": ["a", "b"], variant: "v8" },
  ]);
  const digests: string[] = manifests.map(({ digest }: { digest: string }) => digest);
  const lines = (await ok("manifest", "push", "--purge", list)).split("\n");
  expect(lines.slice(0, -1)).toEqual(
    digests.map((digest) => `Pushed ref ${open}/list@${digest} with digest: ${digest}`),
  );
  expect(existsSync(folder)).toBe(false);
  expect(await ok("manifest", "inspect", list)).toBe(shown);
  expect(await ok("manifest", "inspect", "--raw", `${open}/list@${lines.at(-1)}`)).toBe(shown);
  expect(await ok("pull", "-q", "--platform", "linux/arm64", list)).toBe(list);
});

test("a list that was pushed is no member of another, nor is what the registry has not", async () => {
  const list = `${open}/list:2`;
  await ok("manifest", "create", list, `${open}/one:amd`);
  expect(await ok("manifest", "push", list)).toContain("sha256:");
  const add = (image: string) => manifest("create", "--amend", `${open}/other`, `${open}/one:amd`, image);
  expect((await add(list)).stderr).toBe(`${list} is a manifest list\n`);
  expect((await add(`${open}/none`)).stderr).toBe(`no such manifest: ${open}/none:latest\n`);
  // nothing is kept of a list that could not be begun
  expect((await manifest("push", `${open}/other`)).stderr).toBe(`No such manifest: ${open}/other:latest\n`);
});

test("a list whose file was meddled with is not pushed", async () => {
  const list = `${open}/list:3`;
  await ok("manifest", "create", list, `${open}/one:amd`);
  const file = join(config, "manifests", "127.0.0.1-5035_list-3", "127.0.0.1-5035_one-amd");
  const entry = JSON.parse(readFileSync(file, "utf8"));
  const Raw = Buffer.from(`${Buffer.from(entry.Raw, "base64")} `).toString("base64");
  await writeFile(file, JSON.stringify({ ...entry, Raw }));
  const { code, stderr } = await manifest("push", list);
  expect([code, stderr]).toEqual([1, expect.stringContaining("internal digest mismatch for")]);
  await ok("manifest", "rm", list);
  await mkdir(join(config, "manifests", "127.0.0.1-5035_one-amd"));
  await writeFile(join(config, "manifests", "127.0.0.1-5035_one-amd", "x"), "junk");
  // what cannot be read here hides nothing of the registry
  expect(await ok("manifest", "inspect", `${open}/one:amd`)).toContain('"layers"');
  expect((await manifest("rm", `${open}/one:amd`)).stderr).toBe(
    "invalid character 'j' looking for beginning of value\n",
  );
});

test("several lists are removed, and each that is none is told", async () => {
  const list = `${open}/list:4`;
  await ok("manifest", "create", list, `${open}/one:amd`);
  const { code, stderr } = await manifest("rm", "none", list, "../../x");
  expect([code, stderr]).toEqual([
    1,
    "No such manifest: docker.io/library/none:latest\ninvalid reference format\n",
  ]);
  expect((await manifest("rm", list)).stderr).toBe(`No such manifest: ${list}\n`);
});

test("credentials go to the registry of the list, and images of another are refused", async () => {
  expect((await manifest("create", `${locked}/list`, `${locked}/one`)).code).toBe(1);
  await ok("login", "-u", "me", "-p", "secret", locked);
  await pushed(`${locked}/one`);
  await ok("manifest", "create", `${locked}/list`, `${locked}/one`);
  expect(await ok("manifest", "push", `${locked}/list`)).toContain(`Pushed ref ${locked}/list@sha256:`);
  await ok("manifest", "create", "--amend", `${locked}/list`, `${open}/one:amd`);
  expect((await manifest("push", `${locked}/list`)).stderr).toBe(
    `cannot use source images from a different registry than the target image: ${open} != ${locked}\n`,
  );
});
