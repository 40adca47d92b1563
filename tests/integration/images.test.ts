import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { openContent } from "../../src/content/store.ts";
import { openDistribution } from "../../src/distribution/open.ts";
import type { Images } from "../../src/images/contract.ts";
import { openImages } from "../../src/images/open.ts";
import {
  blobPath,
  configText,
  dockerMembers,
  indexOf,
  layerOf,
  type Member,
  manifestJson,
  manifestOf,
  named,
  tarOf,
} from "../../src/images/testing/archive-fixture.ts";
import { noRegistries } from "../../src/images/testing/fixture.ts";
import { silentLogger } from "../../src/lib/log.ts";
import type { Snapshots } from "../../src/snapshots/contract.ts";
import { openSnapshots } from "../../src/snapshots/open.ts";
import { State } from "../../src/state/database.ts";
import { EventBus } from "../../src/state/events.ts";
import { Leases } from "../../src/state/leases.ts";
import { openVolumes } from "../../src/volumes/open.ts";

/** Images and volumes over real layers: needs root, an overlay file system, xz and bzip2. */
setDefaultTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), "berth-images-"));
const state = State.open(root);
let snapshots: Snapshots;
let images: Images;

beforeAll(async () => {
  snapshots = await openSnapshots({ dataRoot: root, state, logger: silentLogger });
  images = openImages({
    state,
    content: openContent(root),
    distribution: openDistribution(noRegistries),
    limits: { downloads: 3, uploads: 5, downloadAttempts: 5, layerBytes: 0 },
    snapshots,
    events: new EventBus(),
    leases: new Leases(state),
    logger: silentLogger,
    engineVersion: "test",
  });
});
afterAll(async () => {
  await snapshots.close();
  state.close();
  rmSync(root, { recursive: true, force: true });
});

const source = (bytes: Uint8Array): AsyncIterable<Uint8Array> =>
  new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
const through = (program: string, bytes: Uint8Array): Uint8Array =>
  execFileSync(program, ["-c"], { input: bytes });

async function load(archive: Uint8Array): Promise<string[]> {
  const told: string[] = [];
  for await (const message of images.load({ source: source(archive), quiet: true }))
    told.push(message.stream?.trim() ?? "");
  return told;
}

async function removeAll(): Promise<void> {
  for (const { Id } of images.list({ all: true, filters: new Map(), sharedSize: false }, () => 0))
    await images.remove(Id, { force: true, prune: true, users: () => [] });
  expect(snapshots.layers()).toEqual([]);
}

/** The files below a mounted image. */
async function filesOf(reference: string): Promise<Record<string, string>> {
  await snapshots.prepare("look", images.resolve(reference).layers);
  try {
    const mounted = await snapshots.mount("look");
    const names = readdirSync(mounted).filter((name) => statSync(join(mounted, name)).isFile());
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(mounted, name), "utf8")]));
  } finally {
    await snapshots.remove("look");
  }
}

const layer = layerOf("hello");

describe("import", () => {
  const forms: [form: string, pack: (bytes: Uint8Array) => Uint8Array][] = [
    ["plain", (bytes) => bytes],
    ["gzip", (bytes) => through("gzip", bytes)],
    ["xz", (bytes) => through("xz", bytes)],
    ["bzip2", (bytes) => through("bzip2", bytes)],
    ["zstd", (bytes) => zstdCompressSync(bytes)],
  ];
  for (const [form, pack] of forms)
    test(`of a root file system, ${form}`, async () => {
      const tar = tarOf([["f", "content"]]);
      const image = await images.import({
        source: source(pack(tar)),
        message: "m",
        changes: ['CMD ["sh"]'],
        reference: `in:${form}`,
      });
      expect(images.inspect(`in:${form}`)).toMatchObject({ Id: image.id, Size: 7, Comment: "m" });
      expect(await filesOf(`in:${form}`)).toMatchObject({ f: "content" });
      await removeAll();
    });

  const wrong: [what: string, bytes: Uint8Array][] = [
    ["text", Buffer.from("nonsense\n")],
    ["a truncated tar", tarOf([["f", "x".repeat(5000)]]).slice(0, 2000)],
    ["a truncated gzip", through("gzip", tarOf([["f", "x".repeat(5000)]])).slice(0, 60)],
    ["a whiteout, which belongs into layers only", tarOf([["d/.wh.f", ""]])],
  ];
  for (const [what, bytes] of wrong)
    test(`of ${what} is refused and leaves nothing`, async () => {
      await expect(
        images.import({ source: source(bytes), message: "m", changes: [], reference: "in:wrong" }),
      ).rejects.toThrow();
      expect(images.count()).toBe(0);
      expect(snapshots.layers()).toEqual([]);
    });

  test("that is given up leaves nothing", async () => {
    const abort = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield tarOf([["f", "x".repeat(100_000)]]).slice(0, 50_000);
      abort.abort(new Error("the client is gone"));
      await new Promise((resolve) => setTimeout(resolve, 10_000).unref());
    }
    await expect(
      images.import({ source: endless(), message: "m", changes: [], signal: abort.signal }),
    ).rejects.toThrow("the client is gone");
    expect(snapshots.layers()).toEqual([]);
  });
});

describe("load", () => {
  test("of an archive: layers are stacked, those that are here are shared", async () => {
    const upper = { bytes: tarOf([["g", "second"]]), diffId: "" };
    upper.diffId = `sha256:${new Bun.CryptoHasher("sha256").update(upper.bytes).digest("hex")}`;
    const members: Member[] = [
      ["base.json", configText([layer])],
      ["top.json", configText([layer, upper])],
      ["u/layer.tar", through("gzip", upper.bytes)],
      ["l/layer.tar", layer.bytes],
      [
        "manifest.json",
        JSON.stringify([
          { Config: "base.json", RepoTags: ["base:1"], Layers: ["l/layer.tar"] },
          { Config: "top.json", RepoTags: ["top:1"], Layers: ["l/layer.tar", "u/layer.tar"] },
        ]),
      ],
    ];
    for (const archive of [tarOf(members), through("xz", tarOf(members)), tarOf(members.reverse())])
      expect(await load(archive)).toEqual(["Loaded image: base:1", "Loaded image: top:1"]);
    expect(await filesOf("top:1")).toMatchObject({ f: "hello", g: "second" });
    expect(snapshots.layers()).toHaveLength(2);
    await images.remove("base:1", { force: false, prune: true, users: () => [] });
    expect(snapshots.layers()).toHaveLength(2);
    await removeAll();
  });

  test("of an OCI layout with a compressed layer", async () => {
    const packed = through("gzip", layer.bytes);
    const config = configText([layer]);
    const manifest = manifestOf(config, packed, "application/vnd.oci.image.layer.v1.tar+gzip");
    const archive = tarOf([
      [blobPath(config), config],
      [blobPath(packed), packed],
      [blobPath(manifest), manifest],
      ["index.json", indexOf([[manifest, named("example.com/oci/a:t")]])],
    ]);
    expect(await load(archive)).toEqual(["Loaded image: example.com/oci/a:t"]);
    expect(await filesOf("example.com/oci/a:t")).toMatchObject({ f: "hello" });
    await removeAll();
  });

  const evil: [what: string, members: Member[]][] = [
    ["a layer that is cut short", dockerMembers({ bytes: layer.bytes.slice(0, 700), diffId: layer.diffId })],
    ["a layer that is another", dockerMembers({ bytes: layerOf("evil").bytes, diffId: layer.diffId })],
    ["a layer that is text", dockerMembers({ bytes: Buffer.from("x".repeat(2000)), diffId: layer.diffId })],
    ["a manifest above the archive", [...dockerMembers(), ["../../../manifest.json", manifestJson()]]],
    [
      "a configuration that is a link to the host's",
      [["c.json", { link: "../../../../etc/passwd" }], ...dockerMembers().slice(1)],
    ],
  ];
  for (const [what, members] of evil)
    test(`of ${what} is refused and leaves nothing`, async () => {
      await expect(load(tarOf(members))).rejects.toThrow();
      expect(images.count()).toBe(0);
      expect(snapshots.layers()).toEqual([]);
      expect(readdirSync(join(root, "layers")).filter((name) => !name.startsWith("init"))).toEqual([]);
    });

  test("loads of the same at once do not disturb each other", async () => {
    const archive = tarOf(dockerMembers());
    const told = await Promise.all(Array.from({ length: 5 }, () => load(archive)));
    expect(told.flat()).toEqual(Array.from({ length: 5 }, () => "Loaded image: a:t"));
    expect(await filesOf("a:t")).toMatchObject({ f: "hello" });
    await removeAll();
  });
});

describe("a new volume", () => {
  test("is filled with contents, owners, modes, times and links", async () => {
    const volumes = openVolumes({ dataRoot: root, state, events: new EventBus(), logger: silentLogger });
    const seed = join(root, "rootfs/seed");
    mkdirSync(join(seed, "sub"), { recursive: true });
    writeFileSync(join(seed, "f"), "one");
    execFileSync(
      "sh",
      [
        "-c",
        "ln f sub/h; mkfifo p; mknod c c 1 3; touch -d 2001-02-03T04:05:06 f; setfattr -n user.k -v v f || true",
      ],
      { cwd: seed },
    );
    symlinkSync("f", join(seed, "l"));
    chownSync(join(seed, "f"), 1234, 5678);
    chmodSync(join(seed, "f"), 0o4711);
    chownSync(seed, 7, 8);
    chmodSync(seed, 0o750);
    symlinkSync("/seed", join(root, "rootfs/way"));
    const { Mountpoint } = await volumes.create({ Name: "filled" });
    await volumes.mount("filled", "user");
    await volumes.copyUp("filled", "user", { root: join(root, "rootfs"), source: "/way" });
    await volumes.release("filled", "user");
    const tell = (folder: string) =>
      execFileSync("find", [folder, "-printf", "%P %y %m %U:%G %n %s %l %Ts\n"], { encoding: "utf8" })
        .split("\n")
        .sort();
    // the folders' sizes are the file system's matter
    const stable = (lines: string[]) => lines.map((line) => line.replace(/( d \d+ \S+ \d+) \d+/, "$1"));
    expect(stable(tell(Mountpoint))).toEqual(stable(tell(seed)));
    expect(statSync(join(Mountpoint, "f")).ino).toBe(statSync(join(Mountpoint, "sub/h")).ino);
    await volumes.remove("filled", { force: false, users: [] });
  });
});
