/** One build for several platforms, and what is attested of it: the indexes that registries and layouts get. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

const pluginFolders = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
const hasBuildx = pluginFolders.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));
const platforms = "--platform=linux/amd64,linux/arm64";
const host = process.arch === "x64" ? "amd64" : "arm64";
const foreign = host === "amd64" ? "arm64" : "amd64";

interface Descriptor {
  mediaType: string;
  digest: string;
  platform: { architecture: string; os: string };
  annotations?: Record<string, string>;
}

describe("builds of several platforms", () => {
  let engine: TestEngine;
  let registry: TestRegistry;
  let folder = "";

  beforeAll(async () => {
    engine = await startEngine({ images: ["busybox"] });
    registry = await startRegistry(engine, { port: 5000 });
    folder = await mkdtemp(join(tmpdir(), "berth-platforms-"));
    await put("Dockerfile", 'FROM scratch\nARG TARGETARCH\nCOPY only-$TARGETARCH /arch\nCMD ["/arch"]\n');
    await put("only-amd64", "amd64\n");
    await put("only-arm64", "arm64\n");
  });
  afterAll(async () => {
    await registry?.destroy();
    await engine?.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  const ref = (name: string): string => `${registry.address}/${name}`;
  const build = (...args: string[]): Promise<Outcome> => engine.berth("build", "-q", ...args, folder);
  const docker = (...args: string[]): Promise<Outcome> =>
    engine.run(["docker", "build", "-q", ...args, folder]);

  async function ok(outcome: Promise<Outcome>): Promise<string> {
    const { code, stdout, stderr } = await outcome;
    if (code !== 0) throw new Error(`${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** What a registry says; manifests are asked by digest, so they are what they are called. */
  async function remote(path: string): Promise<Record<string, never>> {
    const accept = [
      "application/vnd.oci.image.index.v1+json",
      "application/vnd.oci.image.manifest.v1+json",
      "application/vnd.docker.distribution.manifest.v2+json",
    ];
    const headers = accept.flatMap((type) => ["-H", `Accept: ${type}`]);
    const url = `http://${registry.address}/v2/${path}`;
    const { stdout } = await run(engine.inNetwork(["curl", "-sSf", ...headers, url]));
    return JSON.parse(stdout) as Record<string, never>;
  }
  const manifests = async (path: string): Promise<Descriptor[]> =>
    (await remote(path))["manifests"] as unknown as Descriptor[];

  test("an index goes to the registry, and each platform pulls its own", async () => {
    await ok(build(platforms, "-t", ref("multi:1"), "--push"));
    const found = await manifests("multi/manifests/1");
    expect(found.map(({ platform }) => platform)).toEqual([
      { os: "linux", architecture: "amd64" },
      { os: "linux", architecture: "arm64" },
    ] as never);
    await engine.ok("pull", "-q", "--platform", `linux/${foreign}`, ref("multi:1"));
    expect(await engine.ok("image", "inspect", "-f", "{{.Architecture}}", ref("multi:1"))).toBe(foreign);
    await engine.ok("rmi", ref("multi:1"));
  });

  test("bases are those of each platform, and a tag of this machine's image stays what it was", async () => {
    await ok(build(platforms, "-t", ref("base:1"), "--push"));
    await engine.ok("pull", "-q", ref("base:1"));
    await put("On.Dockerfile", `FROM ${ref("base:1")}\nCOPY only-amd64 /more\n`);
    const file = ["-f", join(folder, "On.Dockerfile")];
    await ok(build(...file, platforms, "-o", `type=local,dest=${join(folder, "out")}`));
    for (const architecture of ["amd64", "arm64"])
      expect(await readFile(join(folder, `out/linux_${architecture}/arch`), "utf8")).toBe(
        `${architecture}\n`,
      );
    expect(await engine.ok("image", "inspect", "-f", "{{.Architecture}}", ref("base:1"))).toBe(host);
  });

  test("a layout holds one index; the engine's store, one platform", async () => {
    const archive = join(folder, "multi.tar");
    await ok(build(platforms, "-t", "multi:2", "-o", `type=oci,dest=${archive}`));
    const layout = await unpacked(archive);
    const [top] = JSON.parse(await readFile(join(layout, "index.json"), "utf8")).manifests as Descriptor[];
    expect(top?.annotations?.["io.containerd.image.name"]).toBe("docker.io/library/multi:2");
    const index = JSON.parse(await blob(layout, top?.digest ?? ""));
    expect(index.manifests.length).toBe(2);
    await engine.ok("load", "-q", "-i", archive);
    expect(await engine.ok("image", "inspect", "-f", "{{.Architecture}}", "multi:2")).toBe(host);
    const kept = await build(platforms, "-t", "multi:3");
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining("not kept in the engine's store")]);
    const one = await build(platforms, "-o", `type=docker,dest=${archive}`);
    expect(one.stderr).toContain("docker exporter does not currently support exporting manifest lists");
  });

  test.skipIf(existsSync(`/proc/sys/fs/binfmt_misc/qemu-${foreign === "arm64" ? "aarch64" : "x86_64"}`))(
    "a step of another architecture names the emulator that is missing",
    async () => {
      await put("Run.Dockerfile", `FROM ${ref("base:1")}\nRUN ["/arch"]\n`);
      const file = ["-f", join(folder, "Run.Dockerfile")];
      const { code, stderr } = await build(...file, "--platform", `linux/${foreign}`);
      const sentence = `this host cannot run programs for linux/${foreign}: install an emulator`;
      expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)]);
    },
  );

  test("provenance and an SBOM stand beside the image, and are off unless asked for", async () => {
    await put(
      "Attest.Dockerfile",
      "FROM busybox\nARG A\nRUN echo $A >/a\nCOPY status /var/lib/dpkg/status\n",
    );
    await put(
      "status",
      "Package: tool\nStatus: install ok installed\nVersion: 1:2.0-1\nArchitecture: all\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
    );
    const args = ["-f", join(folder, "Attest.Dockerfile"), "--build-arg", "A=secretish"];
    await ok(build(...args, "-t", ref("attest:1"), "--push", "--provenance=mode=min", "--sbom=true"));
    const [image, attestation] = await manifests("attest/manifests/1");
    expect(attestation?.platform).toEqual({ architecture: "unknown", os: "unknown" });
    expect(attestation?.annotations).toEqual({
      "vnd.docker.reference.digest": image?.digest ?? "",
      "vnd.docker.reference.type": "attestation-manifest",
    });
    const { layers } = (await remote(`attest/manifests/${attestation?.digest}`)) as unknown as {
      layers: Descriptor[];
    };
    expect(layers.map(({ mediaType, annotations }) => [mediaType, annotations])).toEqual([
      ["application/vnd.in-toto+json", { "in-toto.io/predicate-type": "https://spdx.dev/Document" }],
      ["application/vnd.in-toto+json", { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" }],
    ]);
    const [sbom, provenance] = await Promise.all(
      layers.map(({ digest }) => remote(`attest/blobs/${digest}`)),
    );
    const statement = provenance as unknown as { subject: unknown; predicate: Record<string, never> };
    expect(statement.subject).toEqual([
      {
        name: `pkg:docker/${registry.address}/attest@1?platform=linux%2F${host}`,
        digest: { sha256: image?.digest.slice("sha256:".length) },
      },
    ]);
    expect(JSON.stringify(statement.predicate["materials"])).toContain("pkg:docker/busybox@latest");
    expect(JSON.stringify(statement)).not.toContain("secretish");
    const { packages } = (sbom as unknown as { predicate: { packages: { name: string }[] } }).predicate;
    expect(packages.map(({ name }) => name)).toEqual(["tool"]);
    await engine.ok("pull", "-q", ref("attest:1"));
    expect(await engine.ok("run", "--rm", "--network=none", ref("attest:1"), "cat", "/a")).toBe("secretish");
  });

  test("a folder gets the attestations as files", async () => {
    const args = ["-f", join(folder, "Attest.Dockerfile"), "--build-arg", "A=told"];
    const dest = join(folder, "attested");
    await ok(build(...args, "--provenance=mode=max,version=v1", "-o", dest));
    const provenance = await readFile(join(dest, "provenance.json"), "utf8");
    expect(JSON.parse(provenance).buildDefinition.externalParameters.request.args).toEqual({
      "build-arg:A": "told",
    });
    expect(existsSync(join(dest, "sbom.spdx.json"))).toBe(false);
  });

  for (const client of hasBuildx ? ["berth", "docker"] : ["berth"])
    test(`an image of a layout stands in for FROM and --from: ${client}`, async () => {
      const archive = join(folder, "base.tar");
      await put("only-amd64", `amd64 for ${client}\n`);
      await ok(build("-t", "base:of-layout", "--platform=linux/amd64", "-o", `type=oci,dest=${archive}`));
      await put("only-amd64", "amd64\n");
      // its layers are to come from the layout
      await engine.ok("builder", "prune", "-af");
      const layout = await unpacked(archive);
      const [top] = JSON.parse(await readFile(join(layout, "index.json"), "utf8")).manifests as Descriptor[];
      await put("Layout.Dockerfile", "FROM base\nCOPY --from=tagged /arch /again\n");
      const contexts = [
        `base=oci-layout://${layout}@${top?.digest}`,
        `tagged=oci-layout://${layout}:of-layout`,
      ].flatMap((context) => ["--build-context", context]);
      const dest = join(folder, `of-layout-${client}`);
      const file = ["-f", join(folder, "Layout.Dockerfile"), "--platform=linux/amd64"];
      await ok((client === "berth" ? build : docker)(...file, ...contexts, "-o", `type=local,dest=${dest}`));
      for (const name of ["arch", "again"])
        expect(await readFile(join(dest, name), "utf8")).toBe(`amd64 for ${client}\n`);
      expect(await engine.ok("images", "--digests")).not.toContain("berth.internal");
    });

  test("annotations are on the manifest and the index", async () => {
    const archive = join(folder, "annotated.tar");
    const args = [
      "--annotation",
      "a=b",
      "--annotation",
      "index:c=d",
      "--annotation",
      "manifest[linux/arm64]:e=f",
    ];
    await ok(build(platforms, ...args, "-o", `type=oci,dest=${archive}`));
    const layout = await unpacked(archive);
    const [top] = JSON.parse(await readFile(join(layout, "index.json"), "utf8")).manifests as Descriptor[];
    const index = JSON.parse(await blob(layout, top?.digest ?? ""));
    expect(index.annotations).toEqual({ c: "d" });
    const each = await Promise.all(
      index.manifests.map(
        async ({ digest }: Descriptor) => JSON.parse(await blob(layout, digest)).annotations,
      ),
    );
    expect(each).toEqual([{ a: "b" }, { a: "b", e: "f" }]);
  });

  test.skipIf(!hasBuildx)("docker's client asks for the same", async () => {
    await ok(docker(platforms, "-t", ref("multi:docker"), "--push", "--provenance=mode=max", "--sbom=true"));
    const found = await manifests("multi/manifests/docker");
    expect(found.map(({ platform }) => platform.architecture)).toEqual([
      "amd64",
      "arm64",
      "unknown",
      "unknown",
    ]);
    const dest = join(folder, "docker-out");
    await ok(docker(platforms, "-o", dest, "--provenance=true"));
    expect((await readdir(join(dest, "linux_arm64"))).sort()).toEqual(["arch", "provenance.json"]);
    const archive = join(folder, "docker.tar");
    await ok(docker(platforms, "-o", `type=oci,dest=${archive}`, "--annotation", "index:c=d"));
    const layout = await unpacked(archive);
    const [top] = JSON.parse(await readFile(join(layout, "index.json"), "utf8")).manifests as Descriptor[];
    expect(JSON.parse(await blob(layout, top?.digest ?? "")).annotations).toEqual({ c: "d" });
    const inspected = await engine.run(["docker", "buildx", "imagetools", "inspect", ref("multi:docker")]);
    expect(inspected.stdout).toContain("attestation-manifest");
  });

  async function unpacked(archive: string): Promise<string> {
    const layout = await mkdtemp(join(folder, "layout-"));
    await mkdir(layout, { recursive: true });
    const { code, stderr } = await run(["tar", "-xf", archive, "-C", layout]);
    expect([code, stderr]).toEqual([0, ""]);
    return layout;
  }

  /** A blob that is what it is called. */
  async function blob(layout: string, digest: string): Promise<string> {
    const text = await readFile(join(layout, "blobs", digest.replace(":", "/")), "utf8");
    expect(`sha256:${createHash("sha256").update(text).digest("hex")}`).toBe(digest);
    return text;
  }
});
