/**
 * How layers are packed in what a build writes: `compression=…` of outputs and caches, by both clients, read again here and by
 * the peers (`tests/harness/peers.ts`).
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { docker, havePeers, podman, showToPeers, skopeo } from "../harness/peers.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

const pluginFolders = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
const hasBuildx = pluginFolders.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));

const oci = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  plain: "application/vnd.oci.image.layer.v1.tar",
};
const schema2 = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  list: "application/vnd.docker.distribution.manifest.list.v2+json",
  gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  plain: "application/vnd.docker.image.rootfs.diff.tar",
};

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}
interface Manifest {
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
  manifests: Descriptor[];
}

let engine: TestEngine;
/** has no layer that a test did not bring it, and no record of what the first has sent */
let other: TestEngine;
let registry: TestRegistry;
let hide: () => Promise<void> = async () => undefined;
let folder = "";

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  registry = await startRegistry(engine, { port: 5798 });
  other = await startEngine({ beside: engine, flags: ["--bip", "172.27.0.1/16"], images: ["busybox"] });
  hide = await showToPeers(registry);
  folder = await mkdtemp(join(tmpdir(), "berth-compression-"));
  await mkdir(join(folder, "context"));
  await writeFile(join(folder, "context/text"), "a line of text\n".repeat(200_000));
  const lines = ["FROM busybox", "COPY text /text", "RUN echo made >/made", 'CMD ["cat","/made"]', ""];
  await writeFile(join(folder, "context/Dockerfile"), lines.join("\n"));
  const bare = ["FROM scratch", "COPY text /text", ""];
  await writeFile(join(folder, "context/Bare.Dockerfile"), bare.join("\n"));
});
afterAll(async () => {
  await hide();
  await registry?.destroy();
  await other?.destroy();
  await engine?.destroy();
  await rm(folder, { recursive: true, force: true });
});

const context = (): string => join(folder, "context");
const ref = (name: string): string => `${registry.address}/${name}`;
// times are the layers' bytes: with a fixed epoch two engines make the same ones
const fixed = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];

async function ok(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  if (code !== 0) throw new Error(`${code}: ${stderr}${stdout}`);
  return stdout.trim();
}
const build = (at: TestEngine, ...args: string[]): Promise<Outcome> =>
  at.berth("build", "-q", ...fixed, ...args, context());
const output = (...attributes: string[]): string => attributes.join(",");

/** What a registry has under a name, and the bytes of a blob. */
async function manifest(path: string): Promise<Manifest> {
  const accept = [oci.manifest, oci.index, schema2.manifest, schema2.list];
  const headers = accept.flatMap((type) => ["-H", `Accept: ${type}`]);
  const [name, tag] = path.split(":");
  const url = `http://${registry.address}/v2/${name}/manifests/${tag}`;
  return JSON.parse((await run(engine.inNetwork(["curl", "-sSf", ...headers, url]))).stdout) as Manifest;
}

async function push(at: TestEngine, name: string, ...attributes: string[]): Promise<Manifest> {
  await ok(build(at, "-o", output("type=registry", `name=${ref(name)}`, ...attributes)));
  return await manifest(name);
}

/** From the registry, all of it, and run. */
async function runsElsewhere(name: string): Promise<void> {
  await other.ok("pull", "-q", ref(name));
  expect(await other.ok("run", "--rm", "--network", "none", ref(name))).toBe("made");
  await other.ok("rmi", "-f", ref(name));
}

describe("what goes to a registry", () => {
  test("is packed as asked, base and all where it is forced, and pulled again", async () => {
    const zstd = await push(engine, "z:1", "compression=zstd", "force-compression=true");
    expect(zstd.mediaType).toBe(oci.manifest);
    expect(zstd.layers.map(({ mediaType }) => mediaType)).toEqual([oci.zstd, oci.zstd, oci.zstd]);
    await runsElsewhere("z:1");

    const plain = await push(engine, "u:1", "compression=uncompressed", "oci-mediatypes=true");
    expect(new Set(plain.layers.map(({ mediaType }) => mediaType))).toEqual(new Set([oci.plain]));
    expect(plain.layers[1]?.size).toBeGreaterThan(3_000_000);
    await runsElsewhere("u:1");

    const gzip = await push(engine, "g:1", "compression=gzip", "compression-level=9");
    expect([gzip.mediaType, gzip.layers[1]?.mediaType]).toEqual([schema2.manifest, schema2.gzip]);
    await runsElsewhere("g:1");
  });

  test("is the same digest again, and the same layers on another engine", async () => {
    const attributes = ["compression=zstd", "compression-level=9", "force-compression=true"];
    const one = await push(engine, "same:1", ...attributes);
    expect(await push(engine, "same:2", ...attributes)).toEqual(one);
    // each has imported the base at a time of its own, which is in the configuration
    expect((await push(other, "same:3", ...attributes)).layers).toEqual(one.layers);
    // another level is another blob, and the first stays what it was
    const level1 = await push(engine, "same:4", "compression=zstd", "compression-level=1");
    expect(level1.layers[1]?.digest).not.toBe(one.layers[1]?.digest);
    expect(await push(engine, "same:5", ...attributes)).toEqual(one);
  });

  test("keeps the base's layer as the registry has it, unless another form is forced", async () => {
    // a layer that only this engine has
    await writeFile(join(context(), "Base.Dockerfile"), "FROM scratch\nCOPY Dockerfile /base\n");
    await ok(build(engine, "-f", join(context(), "Base.Dockerfile"), "-t", ref("base:1"), "--push"));
    const [base] = (await manifest("base:1")).layers;
    const lines = [`FROM ${ref("base:1")}`, "COPY Dockerfile /", ""];
    await writeFile(join(context(), "On.Dockerfile"), lines.join("\n"));
    const pushOn = (name: string, how: string): Promise<string> => {
      const to = output("type=registry", `name=${ref(name)}`, how);
      return ok(build(other, "-f", join(context(), "On.Dockerfile"), "-o", to));
    };
    await pushOn("kept:1", "compression=zstd");
    const kept = await manifest("kept:1");
    expect(kept.layers[0]).toEqual({ ...(base as Descriptor), mediaType: oci.gzip });
    expect(kept.layers[1]?.mediaType).toBe(oci.zstd);
    await pushOn("kept:2", "compression=zstd,force-compression=true");
    expect((await manifest("kept:2")).layers[0]?.mediaType).toBe(oci.zstd);
  });

  test("has the media types that are asked for; zstd is OCI's alone", async () => {
    expect((await push(engine, "types:1", "oci-mediatypes=true")).mediaType).toBe(oci.manifest);
    expect((await push(engine, "types:2", "oci-mediatypes=false")).mediaType).toBe(schema2.manifest);
    const both = await push(engine, "types:3", "oci-mediatypes=false", "compression=zstd");
    expect(both.mediaType).toBe(oci.manifest);
    const file = ["-f", join(context(), "Bare.Dockerfile"), "--platform", "linux/amd64,linux/arm64"];
    const to = output("type=registry", `name=${ref("types:4")}`, "oci-mediatypes=false");
    await ok(build(engine, ...file, "-o", to));
    expect((await manifest("types:4")).mediaType).toBe(schema2.list);
  });
});

describe("archives", () => {
  const made = async (...attributes: string[]): Promise<Buffer> => {
    const archive = join(folder, "made.tar");
    await ok(build(engine, "-o", output(...attributes, `dest=${archive}`)));
    return await readFile(archive);
  };

  test("are the same bytes again, and load here", async () => {
    for (const [type, compression] of [
      ["oci", "zstd"],
      ["docker", "zstd"],
      ["docker", "gzip"],
    ]) {
      const attributes = [`type=${type}`, "name=packed:1", `compression=${compression}`];
      const one = await made(...attributes);
      expect([type, compression, (await made(...attributes)).equals(one)]).toEqual([type, compression, true]);
      await other.ok("load", "-q", "-i", join(folder, "made.tar"));
      expect(await other.ok("run", "--rm", "--network", "none", "packed:1")).toBe("made");
      await other.ok("rmi", "-f", "packed:1");
    }
  });
});

test("what cannot be is refused by name, before anything runs", async () => {
  const refused: [string[], string][] = [
    [["-o", `type=registry,name=${ref("no:1")},compression=estargz`], "estargz are not built in berth"],
    [["-o", "type=oci,dest=/dev/null,compression=lz4"], "unsupported layer compression type lz4"],
    [["-o", "type=image,compression-level=x"], "non-integer value x specified for compression-level"],
    [["--cache-to", `type=registry,ref=${ref("no:2")},compression=estargz`], "estargz are not built"],
    [["--cache-to", "type=s3,region=x,bucket=y"], "use type=registry,ref=NAME, or type=local"],
    [["--cache-to", "type=gha"], "use type=registry,ref=NAME, or type=local"],
    [["--cache-to", "type=azblob,name=x"], "use type=registry,ref=NAME, or type=local"],
  ];
  for (const [args, sentence] of refused) {
    const { code, stderr } = await build(engine, ...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)]);
  }
});

describe("caches", () => {
  const steps = (text: string): string[] => text.match(/CACHED/g) ?? [];
  for (const type of ["registry", "local"])
    for (const compression of ["zstd", "uncompressed"])
      test(`of ${compression} in a ${type} are written and read`, async () => {
        const name = `${type}-${compression}`;
        const lines = ["FROM busybox", `RUN echo ${name} >/made`, ""];
        await writeFile(join(folder, "Cached"), lines.join("\n"));
        const file = ["-f", join(folder, "Cached")];
        const dest = join(folder, name);
        const to = type === "registry" ? `ref=${ref(`cache:${name}`)}` : `dest=${dest}`;
        const from = type === "registry" ? to : `src=${dest}`;
        await ok(build(engine, ...file, "--cache-to", `type=${type},${to},compression=${compression}`));
        const image = type === "registry" ? await manifest(`cache:${name}`) : await layoutManifest(dest);
        const wanted = compression === "zstd" ? oci.zstd : oci.plain;
        expect(image.layers.map(({ mediaType }) => mediaType)).toEqual([wanted]);
        const read = await other.berth(
          "build",
          "--progress=plain",
          ...fixed,
          ...file,
          "--cache-from",
          `type=${type},${from}`,
          "-t",
          "cached:1",
          context(),
        );
        expect([read.code, steps(read.stderr).length]).toEqual([0, 1]);
        expect(await other.ok("run", "--rm", "--network", "none", "cached:1", "cat", "/made")).toBe(name);
      });
});

async function layoutManifest(dest: string): Promise<Manifest> {
  const read = async (path: string) => JSON.parse(await readFile(join(dest, path), "utf8")) as Manifest;
  const [{ digest = "" } = {} as Descriptor] = (await read("index.json")).manifests;
  return await read(`blobs/${digest.replace(":", "/")}`);
}

describe.skipIf(!hasBuildx)("docker's own client", () => {
  const buildx = (...args: string[]): Promise<Outcome> =>
    engine.run(["docker", "build", "-q", ...fixed, ...args, context()]);

  test("writes the same manifest, archive and cache", async () => {
    const attributes = ["compression=zstd", "compression-level=9", "force-compression=true"];
    const one = await push(engine, "mine:1", ...attributes);
    await ok(buildx("-o", output("type=image", `name=${ref("theirs:1")}`, "push=true", ...attributes)));
    expect(await manifest("theirs:1")).toEqual(one);

    const archive = join(folder, "theirs.tar");
    await ok(buildx("-o", output("type=oci", "name=theirs:2", "compression=zstd", `dest=${archive}`)));
    await ok(
      build(engine, "-o", output("type=oci", "name=theirs:2", "compression=zstd", `dest=${archive}.2`)),
    );
    expect((await readFile(archive)).equals(await readFile(`${archive}.2`))).toBe(true);

    const dest = join(folder, "their-cache");
    await ok(buildx("--cache-to", `type=local,dest=${dest},mode=max,compression=zstd`));
    const types = (await layoutManifest(dest)).layers.map(({ mediaType }) => mediaType);
    expect(new Set(types)).toEqual(new Set([oci.zstd]));
    const refused = await buildx("-o", `type=image,name=${ref("no:3")},push=true,compression=estargz`);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("estargz are not built")]);
  });
});

describe.skipIf(!havePeers)("other engines", () => {
  for (const compression of ["zstd", "gzip", "uncompressed"])
    test(`pull and load ${compression}`, async () => {
      const name = ref(`peers:${compression}`);
      const attributes = [`compression=${compression}`, "force-compression=true"];
      await push(engine, `peers:${compression}`, ...attributes);
      const archive = join(folder, `${compression}.tar`);
      await ok(
        build(engine, "-o", output("type=docker", `name=${name}-file`, ...attributes, `dest=${archive}`)),
      );
      const skipTls = "--tls-verify=false";
      for (const peer of [docker(), podman()]) {
        const isPodman = peer.name === "podman";
        await peer.ok("pull", ...(isPodman ? [skipTls] : []), name);
        expect([peer.name, await peer.ok("run", "--rm", "--network=none", name)]).toEqual([
          peer.name,
          "made",
        ]);
        await peer.ok("load", "-i", archive);
        expect(await peer.ok("run", "--rm", "--network=none", `${name}-file`)).toBe("made");
        await peer.ok("rmi", "-f", name, `${name}-file`);
      }
      const copy = join(folder, `skopeo-${compression}`);
      await skopeo(engine).ok(
        "copy",
        "--src-tls-verify=false",
        "--preserve-digests",
        `docker://${name}`,
        `dir:${copy}`,
      );
      const oci = join(folder, `layout-${compression}.tar`);
      await ok(build(engine, "-o", output("type=oci", `name=${name}`, ...attributes, `dest=${oci}`)));
      await skopeo(engine).ok("copy", `oci-archive:${oci}`, `dir:${copy}-2`);
    });
});
