/**
 * Images that mean harm, by every way they come in: from a registry, as an OCI layout, and as a root file system. What
 * unpacking itself refuses is tried in `unpack.test.ts`; here the engine must refuse it in one sentence, keep nothing of
 * it, and work on.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { headerOf, tarEntry } from "../../src/lib/tar/writer.ts";
import { run, startEngine, type TestEngine } from "../harness/engine.ts";
import {
  imageConfig,
  type ServedLayer,
  type StaticRegistry,
  startStaticRegistry,
} from "../harness/static-registry.ts";
import { digestOf, type Piece, tarOf } from "../support/archives.ts";

setDefaultTimeout(120_000);

const layerMax = 64 * 1024 ** 2;
let engine: TestEngine;
let registry: StaticRegistry;
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "berth-hostile-images-"));
  engine = await startEngine({ flags: ["--max-layer-size", String(layerMax)] });
  registry = await startStaticRegistry(engine, 5010);
  const tar = tarOf([file("fine", "fine")]);
  await registry.addImage("good", [layerOf(tar)]);
});
afterAll(async () => {
  await registry?.destroy();
  await engine?.destroy();
  await rm(work, { recursive: true, force: true });
});

const file = (name: string, content = ""): Piece => ({ type: "file", name, content });
const layerOf = (tar: Uint8Array): ServedLayer => ({ blob: gzipSync(tar), diffId: digestOf(tar) });

/** An OCI layout of one image, as `load` takes it. */
function layoutOf(layer: ServedLayer): Buffer {
  const files = new Map<string, string>();
  const blob = (bytes: Uint8Array, mediaType: string) => {
    files.set(`blobs/${digestOf(bytes).replace(":", "/")}`, Buffer.from(bytes).toString("latin1"));
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const of = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const type = "application/vnd.oci.image";
  const manifest = {
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: blob(of(imageConfig([layer])), `${type}.config.v1+json`),
    layers: [blob(layer.blob, layer.mediaType ?? `${type}.layer.v1.tar+gzip`)],
  };
  const manifests = [blob(of(manifest), manifest.mediaType)];
  files.set("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
  files.set("index.json", of({ schemaVersion: 2, manifests }).toString());
  return tarOf([...files].map(([name, content]) => file(name, content)));
}

/** Refused with one line, which it gives, by `pull` and by `load`; nothing of it stays, and the next pull works. */
async function refusedEverywhere(name: string, layer: ServedLayer): Promise<string[]> {
  await registry.addImage(name, [layer]);
  const archive = join(work, "layout.tar");
  await writeFile(archive, layoutOf(layer));
  const sentences: string[] = [];
  for (const command of [
    ["pull", "-q", `${registry.address}/x:${name}`],
    ["load", "-q", "-i", archive],
  ]) {
    const { code, stderr } = await engine.berth(...command);
    expect([command[0], code, stderr.trim().split("\n").length]).toEqual([command[0], 1, 1]);
    sentences.push(stderr.trim());
    await nothingButGood();
  }
  return sentences;
}

async function nothingButGood(): Promise<void> {
  const good = `${registry.address}/x:good`;
  await engine.ok("pull", "-q", good);
  expect(await engine.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).toBe(good);
  await engine.ok("rmi", good);
  expect(readdirSync(join(engine.home, "data/layers")).sort()).toEqual(["init", "init-step"]);
}

const megabyte = Buffer.alloc(1024 ** 2);
const bombs: [what: string, tar: () => Buffer[]][] = [
  [
    "one file of 8 GiB",
    () => [headerOf(tarEntry({ type: "file", name: "f", size: 2 ** 33 })), ...Array(150).fill(megabyte)],
  ],
  [
    "many files of a megabyte",
    () =>
      Array.from({ length: 150 }, (_, number) => [
        headerOf(tarEntry({ type: "file", name: `f${number}`, size: megabyte.length })),
        megabyte,
      ]).flat(),
  ],
  ["zeros after the end of the archive", () => [tarOf([file("f")]), ...Array(150).fill(megabyte)]],
];

describe("a decompression bomb ends at the limit of a layer", () => {
  const nowhere = `sha256:${"0".repeat(64)}`;
  for (const [what, parts] of bombs)
    for (const [format, pack, mediaType] of [
      ["gzip", gzipSync, "application/vnd.oci.image.layer.v1.tar+gzip"],
      ["zstd", zstdCompressSync, "application/vnd.oci.image.layer.v1.tar+zstd"],
    ] as const)
      test(`${what}, by ${format}`, async () => {
        const blob = pack(Buffer.concat(parts()));
        const sentences = await refusedEverywhere("bomb", { blob, diffId: nowhere, mediaType });
        for (const each of sentences)
          expect(each).toMatch(
            /would unpack to at least \d+ bytes, and \d+ are free or allowed|too many bytes follow/,
          );
        const root = join(work, "root.tar");
        await writeFile(root, blob);
        const imported = await engine.berth("import", root, "bomb:1");
        expect([imported.code, imported.stderr]).toEqual([
          1,
          expect.stringMatching(/would unpack|too many bytes/),
        ]);
      });

  test("and the engine has kept its memory", () => {
    const status = readFileSync(`/proc/${engine.pid}/status`, "utf8");
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    expect(peak).toBeLessThan(600);
  });
});

const hostile: [what: string, pieces: Piece[], sentence: RegExp][] = [
  ["a name with ..", [file("a/../../evil")], /outside/],
  ["a hard link out", [{ type: "hardlink", name: "l", linkName: "../../../etc/shadow" }], /invalid hardlink/],
  [
    "a hard link to the host",
    [{ type: "hardlink", name: "l", linkName: "/etc/shadow" }],
    /is not a directory/,
  ],
  ["a symlink out by ..", [{ type: "symlink", name: "l", linkName: "../../../etc" }], /invalid symlink/],
  [
    "a write through links through links",
    [
      { type: "symlink", name: "a", linkName: "b" },
      { type: "symlink", name: "b", linkName: "/tmp" },
      file("a/berth-evil", "evil"),
      { type: "hardlink", name: "h", linkName: "a/../etc/shadow" },
    ],
    /not a directory|does not have|invalid hardlink/,
  ],
  [
    "a whiteout through a link",
    [{ type: "symlink", name: "dir", linkName: "/etc" }, file("dir/.wh.passwd")],
    /not a directory/,
  ],
  ["a whiteout of ..", [file("a/.wh...")], /whiteout of/],
  [
    "a link that turns into a folder under a hard link",
    [
      { type: "symlink", name: "d", linkName: "/etc" },
      { type: "hardlink", name: "h", linkName: "d/shadow" },
    ],
    /not a directory|does not have/,
  ],
  ["a name of 64 KB", [file("n".repeat(65_536))], /65536 bytes long/],
  ["a link of 64 KB", [{ type: "symlink", name: "l", linkName: "n".repeat(65_536) }], /bytes long|too long/],
];

describe("a layer that leads out of itself is refused, pulled or loaded", () => {
  for (const [what, pieces, sentence] of hostile)
    test(what, async () => {
      const sentences = await refusedEverywhere("hostile", layerOf(tarOf(pieces)));
      for (const each of sentences) expect(each).toMatch(sentence);
      expect(existsSync("/tmp/berth-evil")).toBe(false);
      expect(existsSync("/etc/passwd")).toBe(true);
    });
});

test("a broken blob is refused, pulled or loaded", async () => {
  const tar = tarOf([file("f", "x".repeat(100_000))]);
  const whole = gzipSync(tar);
  const cut = { blob: whole.subarray(0, whole.length - 20), diffId: digestOf(tar) };
  for (const each of await refusedEverywhere("cut", cut)) expect(each).toContain("unexpected EOF");
  const other = { blob: whole, diffId: `sha256:${"1".repeat(64)}` };
  const [pulled = "", loaded = ""] = await refusedEverywhere("other", other);
  expect(pulled).toContain("layers from manifest don't match image configuration");
  expect(loaded).toContain("invalid diffID for layer 0");
});

test("a disk that fills in the middle of unpacking is one clear error, and the next pull works", async () => {
  const root = join(work, "small");
  await mkdir(root);
  const mounted = await run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", root]);
  if (mounted.code !== 0) throw new Error(mounted.stderr);
  const small = await startEngine({
    beside: engine,
    flags: ["--data-root", join(root, "data"), "--bip", "172.31.0.1/16"],
  });
  try {
    // each of the three fits into what is free when it begins; together they do not
    const layers = [1, 2, 3].map((number) =>
      layerOf(
        tarOf(
          Array.from({ length: 400 }, (_, each) => file(`${number}/${each}`, String(number).repeat(50_000))),
        ),
      ),
    );
    await registry.addImage("large", layers);
    const failed = await small.berth("pull", "-q", `${registry.address}/x:large`);
    expect([failed.code, failed.stderr.trim().split("\n").length]).toEqual([1, 1]);
    expect(failed.stderr).toMatch(/no space left on device|are free or allowed/);
    expect(await small.ok("images", "-q")).toBe("");
    await small.ok("pull", "-q", `${registry.address}/x:good`);
    await small.ok("image", "prune", "-af");
    expect(readdirSync(join(root, "data/layers")).sort()).toEqual(["init", "init-step"]);
  } finally {
    await small.destroy();
    await run(["umount", "-l", root]);
  }
});
