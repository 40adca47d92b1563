/**
 * Dockerfiles of the kinds that people publish (`tests/builds`), built twice without a cache, by two engines and through
 * two front doors: the same image, which does what it is for. The quick ones run always, all of them with
 * BERTH_BUILDS=all: toolchains are hundreds of megabytes.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { publishedBuilds } from "../builds/cases.ts";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";
import { type Packages, servePackages } from "../harness/packages.ts";
import { bringBase, buildPublished, type Client, runPublished } from "../harness/published.ts";

const all = process.env["BERTH_BUILDS"] === "all";
if (!all) console.log("SKIPPED all but the quick builds: the others run with BERTH_BUILDS=all");
const builds = publishedBuilds.filter(({ quick = false }) => quick || all);

const minutes = 60_000;
const epoch = Math.floor(Date.now() / 1000);
const plugins = ["/usr/local/lib", "/usr/lib", "/usr/libexec", "/usr/local/libexec"];
const hasBuildx = plugins.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-buildx`));

let engines: [TestEngine, TestEngine];
let packages: [Packages, Packages];
const own =
  (engine: TestEngine): Client =>
  (...args) =>
    engine.run([berth, ...args], { timeoutMs: 15 * minutes });
/** docker's own client, where it can build */
const stock =
  (engine: TestEngine): Client =>
  (...args) =>
    engine.run([hasBuildx ? "docker" : berth, ...args], { timeoutMs: 15 * minutes });

beforeAll(async () => {
  const first = await startEngine({ images: ["busybox", "debian"] });
  const second = await startEngine();
  engines = [first, second];
  packages = [
    await servePackages((command) => first.inNetwork(command), "10.99.99.1"),
    await servePackages((command) => second.inNetwork(command), "10.99.99.1"),
  ];
  const toolchains = new Set(builds.flatMap(({ toolchain }) => toolchain ?? []));
  for (const base of ["debian", ...toolchains] as const) await bringBase(own(first), base, packages[0].url);
  // an image that is made twice tells two times of its making, and so does what is built on it
  const bases = (
    await first.ok("images", "--filter", "dangling=false", "--format", "{{.Repository}}:{{.Tag}}")
  ).split("\n");
  const archive = join(first.home, "bases.tar");
  await first.ok("save", "-o", archive, ...bases);
  await second.ok("load", "-q", "-i", archive);
  await rm(archive);
}, 30 * minutes);

afterAll(async () => {
  for (const served of packages ?? []) await served.stop();
  for (const engine of engines ?? []) await engine.destroy();
}, 2 * minutes);

for (const build of builds)
  test(
    `${build.name}: built, the same image when it is built again elsewhere, and it runs`,
    async () => {
      const tag = `published-${build.name}`;
      const [first, second] = engines;
      const common = { tag, epoch, noCache: true };
      const one = await buildPublished(stock(first), build, { ...common, proxy: packages[0].url });
      const other = await buildPublished(own(second), build, { ...common, proxy: packages[1].url });
      expect(other).toBe(one);
      await runPublished(own(second), build, tag);
    },
    15 * minutes,
  );
