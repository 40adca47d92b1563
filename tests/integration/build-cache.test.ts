/** Caches that builds write elsewhere and read again: an engine with an empty store runs no step. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, startEngine, type TestEngine } from "../harness/engine.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

setDefaultTimeout(120_000);

const pluginFolders = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
const hasBuildx = pluginFolders.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));

describe("a build's cache elsewhere", () => {
  let engine: TestEngine;
  let other: TestEngine;
  let registry: TestRegistry;
  let folder = "";
  let base = "";

  beforeAll(async () => {
    engine = await startEngine({ images: ["busybox"] });
    registry = await startRegistry(engine, { port: 5000 });
    other = await startEngine({ beside: engine });
    folder = await mkdtemp(join(tmpdir(), "berth-build-cache-"));
    base = `${registry.address}/busybox:latest`;
    await engine.ok("tag", "busybox", base);
    await engine.ok("push", "-q", base);
  });
  afterAll(async () => {
    await other?.destroy();
    await registry?.destroy();
    await engine?.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  const ref = (name: string): string => `${registry.address}/${name}`;

  /** Two stages; each project's steps are its own. */
  async function project(name: string): Promise<string> {
    await writeFile(
      join(folder, "Dockerfile"),
      [
        `FROM ${base} AS make`,
        `RUN echo ${name} >/made && head -c 100000 /dev/urandom >/big`,
        `FROM ${base}`,
        "WORKDIR /app",
        "COPY --from=make /made made",
        "COPY input .",
        "RUN cat made input >both",
        "",
      ].join("\n"),
    );
    await writeFile(join(folder, "input"), `input of ${name}\n`);
    return folder;
  }

  /** The log, and what became of each step. */
  function steps({ code, stdout, stderr }: Outcome): Map<string, string> {
    if (code !== 0) throw new Error(`${code}: ${stderr}${stdout}`);
    const names = new Map<string, string>();
    const states = new Map<string, string>();
    for (const line of `${stderr}${stdout}`.split("\n")) {
      const [, number = "", rest = ""] = /^#(\d+) (.*)$/.exec(line) ?? [];
      const name = /^\[(?:make |stage-1 )?\d\/\d\] ((?:RUN|COPY|WORKDIR).*)$/.exec(rest)?.[1];
      if (name !== undefined) names.set(number, name.replace(/^(\S+ \S+ \S+).*$/, "$1"));
      const state = /^(CACHED|DONE|ERROR)/.exec(rest)?.[1];
      if (state !== undefined && names.has(number)) states.set(names.get(number) ?? "", state);
    }
    return states;
  }

  const all = (state: string): Map<string, string> =>
    new Map(
      ["RUN echo", "WORKDIR /app", "COPY --from=make /made", "COPY input .", "RUN cat made"].map((name) => [
        name,
        state,
      ]),
    );
  const summary = (states: Map<string, string>): Map<string, string> =>
    new Map(
      [...states]
        .map(([name, state]): [string, string] => [
          [...all("").keys()].find((each) => name.startsWith(each)) ?? name,
          state,
        ])
        .sort(),
    );
  const sorted = (states: Map<string, string>): Map<string, string> => new Map([...states].sort());

  const blobsIn = async (place: string): Promise<string[]> =>
    (await readdir(join(place, "blobs/sha256"))).sort();

  const build = (on: TestEngine, ...args: string[]): Promise<Outcome> =>
    on.berth("build", "--progress=plain", ...args);

  test("a registry's cache of all steps makes an empty engine run none of them, nor fetch what it needs not", async () => {
    const context = await project("max");
    const to = ["--cache-to", `type=registry,ref=${ref("cache:max")},mode=max`];
    steps(await build(engine, "-t", "max", ...to, context));
    // nothing reads a layer: none comes, not even of the base
    const from = ["--cache-from", ref("cache:max")];
    const looked = await build(other, "-o", "type=cacheonly", ...from, context);
    expect(summary(steps(looked))).toEqual(sorted(all("CACHED")));
    expect([looked.stderr.includes("fetching"), await other.ok("images", "-aq")]).toEqual([false, ""]);
    const again = await build(other, "-t", "max", ...from, context);
    expect(summary(steps(again))).toEqual(sorted(all("CACHED")));
    expect(await other.ok("run", "--rm", "--network=none", "max", "cat", "/app/both")).toBe(
      "max\ninput of max",
    );
    // WORKDIR, two COPY and the last RUN; not what the first stage made
    expect(new Set(again.stderr.match(/^#\d+ fetching/gm)).size).toBe(4);
    // what came from elsewhere serves builds that name it, and no others
    const without = await build(other, "-t", "max2", context);
    expect(summary(steps(without)).get("RUN echo")).toBe("DONE");
  });

  test("an image that carries its own cache serves the steps of its layers", async () => {
    const context = await project("inline");
    const name = ref("inline:1");
    steps(await build(engine, "-t", name, "--push", "--cache-to", "type=inline", context));
    const again = summary(steps(await build(other, "-t", "inline", "--cache-from", name, context)));
    expect([again.get("WORKDIR /app"), again.get("RUN cat made")]).toEqual(["CACHED", "CACHED"]);
    expect(await other.ok("run", "--rm", "--network=none", "inline", "cat", "/app/both")).toBe(
      "inline\ninput of inline",
    );
  });

  test("a folder holds a cache too, for either client, and keeps what it has", async () => {
    const context = await project("local");
    const place = join(folder, "local-cache");
    const to = `type=local,dest=${place},mode=max`;
    steps(await build(engine, "--cache-to", to, context));
    const before = await blobsIn(place);
    steps(await build(engine, "--cache-to", to, context));
    expect(await blobsIn(place)).toEqual(before);
    const index = JSON.parse(await readFile(join(place, "index.json"), "utf8"));
    expect(index.manifests.length).toBe(1);
    const again = await build(other, "--cache-from", `type=local,src=${place}`, context);
    expect(summary(steps(again))).toEqual(sorted(all("CACHED")));
  });

  test.skipIf(!hasBuildx)("docker's client writes a cache into a folder, and reads it", async () => {
    const context = await project("docker-local");
    const place = join(folder, "docker-cache");
    const docker = (on: TestEngine, ...args: string[]): Promise<Outcome> =>
      on.run(["docker", "build", "--progress=plain", ...args, context]);
    steps(await docker(engine, "--cache-to", `type=local,dest=${place},mode=max`));
    const from = ["--cache-from", `type=local,src=${place}`];
    expect(summary(steps(await docker(other, "-t", "dl", ...from)))).toEqual(sorted(all("CACHED")));
    expect(await other.ok("run", "--rm", "--network=none", "dl", "cat", "/app/made")).toBe("docker-local");
    expect(summary(steps(await build(other, ...from, context)))).toEqual(sorted(all("CACHED")));
  });

  test("a cache that lies about its layers is left out, and the build is right", async () => {
    const context = await project("liar");
    const place = join(folder, "liar");
    steps(await build(engine, "--cache-to", `type=local,dest=${place},mode=max`, context));
    for (const name of await blobsIn(place)) {
      const path = join(place, "blobs/sha256", name);
      const bytes = await readFile(path);
      if (bytes[0] === 0x1f) await writeFile(path, bytes.fill(7, 20, 30));
    }
    const from = ["--cache-from", `type=local,src=${place}`];
    const { code, stderr } = await build(other, "-t", "liar", ...from, context);
    expect([code, stderr.match(/^#\d+ ERROR: .*$/m)?.[0]]).toEqual([0, expect.stringContaining("layer")]);
    expect(await other.ok("run", "--rm", "--network=none", "liar", "cat", "/app/both")).toBe(
      "liar\ninput of liar",
    );
  });

  test("a cache that is not there is told, and the build goes on", async () => {
    const context = await project("gone");
    const { code, stderr } = await build(engine, "--cache-from", ref("cache:none"), context);
    expect([code, stderr.includes("failed to configure registry cache importer")]).toEqual([0, true]);
    const unknown = await build(engine, "--cache-to", "type=nothing", context);
    expect([unknown.code, unknown.stderr.includes('unknown cache exporter: "nothing"')]).toEqual([1, true]);
  });

  test.skipIf(!hasBuildx)("docker build writes and reads the same cache", async () => {
    const context = await project("docker");
    const docker = (on: TestEngine, ...args: string[]): Promise<Outcome> =>
      on.run(["docker", "build", "--progress=plain", ...args, context]);
    const to = `type=registry,ref=${ref("cache:docker")},mode=max`;
    steps(await docker(engine, "-t", "docker", "--cache-to", to));
    const from = `type=registry,ref=${ref("cache:docker")}`;
    const again = await docker(other, "-t", "docker", "--cache-from", from);
    expect(summary(steps(again))).toEqual(sorted(all("CACHED")));
  });
});
