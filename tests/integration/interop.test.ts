/**
 * Images go to other engines and come from them unchanged: by a registry, as `docker save` archives, as OCI layouts. With
 * skopeo wherever it is there; with Docker and Podman where `BERTH_PEERS` names them: `tests/harness/peers.ts`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run, startEngine, type TestEngine } from "../harness/engine.ts";
import { docker, havePeers, haveSkopeo, type Peer, podman, showToPeers, skopeo } from "../harness/peers.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";
import { Schemas } from "../support/json-schema.ts";

setDefaultTimeout(180_000);

const address = "127.0.0.1:5799";
const mine = `${address}/interop/mine:v1`;
const stock = `${address}/interop/stock:v1`;
const notSecure = "--tls-verify=false";
let engine: TestEngine;
/** has no layer that a test did not bring it */
let other: TestEngine;
let registry: TestRegistry;
let hide: () => Promise<void> = async () => undefined;
let work: string;

/** Everything that makes a layer more than files: whiteouts, an opaque folder, links, owners, modes, odd times. */
const script = [
  "echo one >/one; ln /one /two; ln -s /one /three; mkdir -p /d/e; chown 1000:1001 /d/e; chmod 4755 /two",
  "rm /bin/arping; rm -r /usr; mkdir /usr; echo new >/usr/new; mkfifo /pipe; touch -d '2001-02-03 04:05:06' /d",
];

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "berth-interop-"));
  engine = await startEngine({ images: ["busybox"] });
  other = await startEngine({ beside: engine, flags: ["--bip", "172.27.0.1/16"] });
  registry = await startRegistry(engine, { port: 5799 });
  hide = await showToPeers(registry);
  await engine.ok("tag", "busybox", stock);
  for (const [number, line] of script.entries()) {
    const from = number === 0 ? "busybox" : "interop-made:1";
    await engine.ok("run", "--name", "made", "--network", "none", from, "sh", "-ec", line);
    await engine.ok("commit", "-c", "ENV A=1", "-c", "LABEL l=x", "made", "interop-made:1");
    await engine.ok("rm", "made");
  }
  await engine.ok("tag", "interop-made:1", mine);
  for (const name of [stock, mine]) await engine.ok("push", "-q", name);
});
afterAll(async () => {
  if (havePeers)
    for (const each of [docker(), podman()])
      for (const repository of ["mine", "stock", "back", "docker", "podman"])
        await each.run("rmi", "-f", `${address}/interop/${repository}:v1`);
  await hide();
  await registry?.destroy();
  await other?.destroy();
  await engine?.destroy();
  await rm(work, { recursive: true, force: true });
});

const idOf = (name: string, at = engine) => at.ok("image", "inspect", "-f", "{{.Id}}", name);
const digestOf = async (name: string, at = engine): Promise<string> =>
  (await at.ok("image", "inspect", "-f", "{{range .RepoDigests}}{{println .}}{{end}}", name))
    .split("\n")
    .find((line) => line.startsWith(name.replace(/:[^:/]+$/, "@")))
    ?.split("@")[1] ?? "";

/**
 * What the image shows: a line for each file, with its type, mode, owner, links and content. What an engine adds of its own
 * is left out, and the root, which has no entry in layers and is 755 here as in Docker, 555 in Podman.
 */
const listing = `find / -xdev -mindepth 1 \\( -path /proc -o -path /sys -o -path /dev -o -path /etc -o -path /run -o -path /.dockerenv \\) -prune -o -exec stat -c '%n %f %u:%g %h' {} + | sort; md5sum /one /usr/new; readlink /three`;
const shown = (name: string, at = engine) =>
  at.ok("run", "--rm", "--network", "none", name, "sh", "-c", listing);

/** Pulls what a peer pushed, all of it, and compares what there is to compare. */
async function pulledAs(name: string, digest: string): Promise<void> {
  const told = await other.ok("pull", name);
  expect(told).toContain(`Digest: ${digest}`);
  expect(told).not.toContain("Already exists");
  expect(await digestOf(name, other)).toBe(digest);
  expect(await shown(name, other)).toBe(await shown(mine));
}

/** What a peer saved. */
async function loadedAs(archive: string): Promise<string> {
  const name = /Loaded image(?: ID)?: (\S+)/.exec(await other.ok("load", "-i", archive))?.[1] ?? "";
  expect(await shown(name, other)).toBe(await shown(mine));
  const id = await idOf(name, other);
  await other.ok("rmi", "-f", id);
  return `${name} ${id}`;
}

describe.skipIf(!haveSkopeo)("skopeo", () => {
  test("finds what we pushed, by its digest, and copies it whole", async () => {
    const tool = skopeo(engine);
    const told = JSON.parse(await tool.ok("inspect", notSecure, `docker://${mine}`));
    expect(told).toMatchObject({ Digest: await digestOf(mine), Labels: { l: "x" } });
    const layout = join(work, "skopeo-layout");
    await tool.ok(
      "copy",
      "--src-tls-verify=false",
      "--preserve-digests",
      `docker://${mine}`,
      `oci:${layout}:v1`,
    );
    await valid(layout);
  });

  test("pushes what we pull, gzip, zstd or not compressed at all, with the same image in it", async () => {
    const tool = skopeo(engine);
    for (const [tag, ...options] of [
      ["gzip", "--format", "oci", "--dest-compress-format", "gzip"],
      ["zstd", "--format", "oci", "--dest-compress-format", "zstd", "--dest-force-compress-format"],
      ["schema2", "--format", "v2s2"],
      ["same", "--preserve-digests"],
    ] as const) {
      const name = `${address}/interop/skopeo:${tag}`;
      const secure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
      const copied = await tool.run("copy", ...secure, ...options, `docker://${mine}`, `docker://${name}`);
      // older ones do not know to force another compression
      if (copied.code !== 0 && copied.stderr.includes("unknown flag")) continue;
      expect([tag, copied.code, copied.stderr]).toEqual([tag, 0, copied.stderr]);
      const { Digest } = JSON.parse(await tool.ok("inspect", notSecure, `docker://${name}`));
      await pulledAs(name, Digest);
      await other.ok("rmi", name);
    }
  });

  test("reads the archives we save, as docker's and as a layout, and writes ones that we load", async () => {
    const tool = skopeo(engine);
    const saved = join(work, "saved.tar");
    await engine.ok("save", "-o", saved, mine);
    for (const kind of ["docker-archive", "oci-archive"]) {
      const target = join(work, `skopeo-${kind}.tar`);
      const to = kind === "docker-archive" ? `:${address}/interop/back:v1` : ":v1";
      await tool.ok("copy", `${kind}:${saved}`, `${kind}:${target}${to}`);
      // an OCI archive of a docker image is written anew, with a configuration of its own
      const loaded = await loadedAs(target);
      if (kind === "docker-archive") expect(loaded).toBe(`${address}/interop/back:v1 ${await idOf(mine)}`);
    }
  });
});

/** Validates every document of an OCI layout by the image specification's schemas. */
async function valid(folder: string): Promise<void> {
  const schemas = new Schemas(resolve("tests/fixtures/image-spec"));
  const check = async (schema: string, path: string) => {
    const value = await Bun.file(join(folder, path)).json();
    expect([path, schemas.problems(schema, value)]).toEqual([path, []]);
    return value;
  };
  const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
  await check("image-layout-schema.json", "oci-layout");
  const index = await check("image-index-schema.json", "index.json");
  for (const { digest, mediaType } of index.manifests) {
    if (!mediaType.startsWith("application/vnd.oci.")) continue;
    const manifest = await check("image-manifest-schema.json", blob(digest));
    await check("config-schema.json", blob(manifest.config.digest));
  }
}

test("a saved archive unpacks to a layout that the specification's schemas accept", async () => {
  const folder = join(work, "layout");
  await mkdir(folder);
  await engine.ok("save", "-o", `${folder}.tar`, mine, stock);
  expect((await run(["tar", "-C", folder, "-xf", `${folder}.tar`])).code).toBe(0);
  await valid(folder);
});

const engines: [name: string, open: () => Peer, options: string[]][] = [
  ["docker", docker, []],
  ["podman", podman, [notSecure]],
];
for (const [peerName, open, options] of engines)
  describe.skipIf(!havePeers)(peerName, () => {
    const theirId = async (name: string): Promise<string> =>
      `sha256:${(await open().ok("image", "inspect", "-f", "{{.Id}}", name)).replace("sha256:", "")}`;
    const theirDigest = async (name: string): Promise<string> => {
      const told = JSON.parse(
        await open().ok("image", "inspect", "-f", "{{json .RepoDigests}}", name),
      ) as string[];
      return told.find((each) => each.startsWith(name.replace(/:[^:/]+$/, "@")))?.split("@")[1] ?? "";
    };
    /** the same lines as `shown`, of a container there */
    const theirShown = (name: string): Promise<string> =>
      open().ok("run", "--rm", "--network", "none", name, "sh", "-c", listing);

    test("pulls what we pushed, with our digests and our files", async () => {
      for (const name of [stock, mine]) {
        await open().ok("pull", ...options, name);
        expect([name, await theirId(name)]).toEqual([name, await idOf(name)]);
        expect([name, await theirDigest(name)]).toEqual([name, await digestOf(name)]);
      }
      expect(await theirShown(mine)).toBe(await shown(mine));
    });

    test("pushes what we pull, and we push it on unchanged", async () => {
      const name = `${address}/interop/${peerName}:v1`;
      await open().ok("tag", mine, name);
      await open().ok("push", ...options, name);
      const { Digest } = JSON.parse(await skopeo(engine).ok("inspect", notSecure, `docker://${name}`));
      await pulledAs(name, Digest);
      const on = `${address}/interop/on-${peerName}:v1`;
      await other.ok("tag", name, on);
      expect(await other.ok("push", on)).toContain(`digest: ${Digest}`);
      await other.ok("rmi", on, name);
    });

    test("loads what we save, and we load what it saves", async () => {
      const [ours, theirs] = [join(work, `${peerName}-ours.tar`), join(work, `${peerName}-theirs.tar`)];
      await engine.ok("save", "-o", ours, mine, stock);
      await open().run("rmi", "-f", mine, stock);
      await open().ok("load", "-i", ours);
      for (const name of [mine, stock]) expect([name, await theirId(name)]).toEqual([name, await idOf(name)]);
      expect(await theirShown(mine)).toBe(await shown(mine));
      const back = `${address}/interop/back:v1`;
      await open().ok("tag", mine, back);
      const formats = peerName === "podman" ? ["docker-archive", "oci-archive"] : [""];
      for (const format of formats) {
        await rm(theirs, { force: true });
        await open().ok("save", ...(format ? ["--format", format] : []), "-o", theirs, back);
        const [name, id] = (await loadedAs(theirs)).split(" ");
        expect(name).toBe(back);
        if (format !== "oci-archive") expect([format, id]).toEqual([format, await idOf(mine)]);
      }
    });
  });

test.skipIf(!havePeers)("podman's zstd and zstd:chunked layers are pulled like any other", async () => {
  await podman().ok("pull", notSecure, mine);
  for (const format of ["zstd", "zstd:chunked"]) {
    const name = `${address}/interop/podman:${format.replace(":", "-")}`;
    await podman().ok("push", notSecure, "--compression-format", format, "--force-compression", mine, name);
    const { Digest } = JSON.parse(await skopeo(engine).ok("inspect", notSecure, `docker://${name}`));
    await pulledAs(name, Digest);
    await other.ok("rmi", name);
  }
});
