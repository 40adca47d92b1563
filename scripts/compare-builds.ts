/**
 * Builds what `tests/builds` holds with Docker (BuildKit) and with two engines of ours, compares the images file by file,
 * and runs ours on Docker and Podman. At the end it says of each: "same", or what differs. Needs the peers beside the
 * project. Ends with 1 if anything is not as it should be.
 *
 *     bun scripts/compare-builds.ts [--no-run] [NAME …]
 *
 * `--no-run`: only builds and compares.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type PublishedBuild, publishedBuilds, type Toolchain, type Unlike } from "../tests/builds/cases.ts";
import { berth, run, startEngine, type TestEngine } from "../tests/harness/engine.ts";
import { servePackages } from "../tests/harness/packages.ts";
import {
  bringBase,
  buildPublished,
  buildsFolder,
  type Client,
  runPublished,
  succeeded,
} from "../tests/harness/published.ts";
import { compareImages, type Difference } from "./lib/compare-images.ts";
import { imageContents } from "./lib/image-files.ts";

const peers = resolve("../shared/peers");
const socket = "/opt/peers/run/docker-peer.sock";
const minutes = 60_000;
const asByBuildKit = "as by BuildKit";
const prefix = "twenty-";
const epoch = Math.floor(Date.now() / 1000);

const wanted = process.argv.slice(2).filter((word) => word !== "--no-run");
const runs = !process.argv.includes("--no-run");
const builds = publishedBuilds.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (!existsSync(socket)) throw new Error("Docker is not up beside the project: shared/peers/up starts it");

const peer: Client = (...args) =>
  run(["docker", ...args], {
    env: { DOCKER_HOST: `unix://${socket}`, BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
    timeoutMs: 20 * minutes,
  });
const podman: Client = (...args) => run([`${peers}/podman`, ...args], { timeoutMs: 5 * minutes });
const docker =
  (engine: TestEngine): Client =>
  (...args) =>
    engine.run(["docker", ...args], { timeoutMs: 20 * minutes });
const own =
  (engine: TestEngine): Client =>
  (...args) =>
    engine.run([berth, ...args], { timeoutMs: 20 * minutes });

const scratch = await mkdtemp(join(tmpdir(), "berth-compare-"));
const first = await startEngine({ images: ["debian"] });
const second = await startEngine();
const inPeer = (command: string[]): string[] => ["nsenter", "--net=/run/netns/docker-peer", "--", ...command];
const proxies = [
  await servePackages((command) => first.inNetwork(command), "10.99.99.1"),
  await servePackages((command) => second.inNetwork(command), "10.99.99.1"),
  await servePackages(inPeer, "172.17.0.1"),
] as const;
const brought = new Set<string>();
/** of each case: whether BuildKit's image is the same, and what else is not as it should be */
const summary: string[] = [];

try {
  await bases();
  for (const build of builds) await one(build);
  console.log(["", ...summary].join("\n"));
} finally {
  for (const image of brought) await peer("rmi", "-f", image);
  for (const proxy of proxies) await proxy.stop();
  await first.destroy();
  await second.destroy();
  await rm(scratch, { recursive: true, force: true });
}

/** All three hold the same bases: what Docker has already stays, the rest is ours. */
async function bases(): Promise<void> {
  await move("busybox:latest", peer, own(first));
  const toolchains = new Set(builds.flatMap(({ toolchain }) => toolchain ?? []));
  for (const base of ["debian", ...toolchains] as const) await bringBase(own(first), base, proxies[0].url);
  for (const image of ["debian:bookworm", ...[...toolchains].map((name: Toolchain) => `${name}:bookworm`)]) {
    await move(image, own(first), peer);
    brought.add(image);
  }
  const all = ["busybox:latest", ...brought];
  for (const image of all) await move(image, own(first), own(second));
}

async function move(image: string, from: Client, to: Client): Promise<void> {
  const file = join(scratch, "moved.tar");
  await succeeded(`saving ${image}`, from("save", "-o", file, image));
  await succeeded(`loading ${image}`, to("load", "-q", "-i", file));
  await rm(file);
}

async function contents(image: string, client: Client): Promise<Awaited<ReturnType<typeof imageContents>>> {
  const folder = join(scratch, "contents");
  await mkdir(folder);
  try {
    await succeeded(`saving ${image}`, client("save", "-o", `${folder}.tar`, image));
    const unpacked = await run(["tar", "-xf", `${folder}.tar`, "-C", folder]);
    if (unpacked.code !== 0) throw new Error(unpacked.stderr);
    return await imageContents(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.tar`, { force: true });
  }
}

async function one(build: PublishedBuild): Promise<void> {
  const tag = `${prefix}${build.name}`;
  const cells: [what: string, said: string][] = [];
  const cell = async (what: string, check: () => Promise<string>): Promise<void> => {
    const said = await check().catch((error: Error) => `NO: ${error.message.slice(0, 600)}`);
    if (said.startsWith("NO")) process.exitCode = 1;
    cells.push([what, said]);
  };
  const ids: string[] = [];
  await cell("built", async () => {
    ids.push(await buildPublished(docker(first), build, { proxy: proxies[0].url, tag, epoch }));
    return "yes";
  });
  await cell(asByBuildKit, async () => {
    const dockerfile = await withoutSyntax(build);
    const context = await contextOfItsOwn(build);
    // its cache may hold steps of an earlier run, whose times are of then
    const options = { proxy: proxies[2].url, tag, epoch, dockerfile, context, noCache: true };
    await buildPublished(peer, build, options);
    const found = compareImages(await contents(tag, docker(first)), await contents(tag, peer), epoch);
    return toldBut(found, build.unlike ?? []);
  });
  await cell("same digest twice", async () => {
    ids.push(await buildPublished(own(second), build, { proxy: proxies[1].url, tag, epoch, noCache: true }));
    if (ids[0] === ids[1]) return "yes";
    return told(compareImages(await contents(tag, own(first)), await contents(tag, own(second)), 0));
  });
  if (runs) {
    await cell("runs here", async () => {
      await runPublished(docker(first), build, tag);
      return "yes";
    });
    if (ids.length > 0) await elsewhere(build, tag, cell);
  }
  await peer("rmi", "-f", tag);
  console.log([build.name, ...cells.map(([what, said]) => `  ${what}: ${said}`)].join("\n"));
  summary.push(`${build.name}: ${summed(cells)}`);
}

/** "same", or what differs from BuildKit's image; and what else is not as it should be. */
function summed(cells: readonly [what: string, said: string][]): string {
  const compared = cells.find(([what]) => what === asByBuildKit)?.[1] ?? "";
  const wrong = cells.filter(([what, said]) => what !== asByBuildKit && said !== "yes");
  return [compared.replace(/^yes/, "same"), ...wrong.map(([what, said]) => `${what}: ${said}`)].join("\n  ");
}

/**
 * The context under a path and a name of its own: of one that it was sent before BuildKit keeps the folders, with the times at which
 * something last changed in its copy.
 */
async function contextOfItsOwn({ name }: PublishedBuild): Promise<string> {
  const copy = join(scratch, `context-${name}-${epoch}`);
  const copied = await run(["cp", "-a", join(buildsFolder, name), copy]);
  if (copied.code !== 0) throw new Error(copied.stderr);
  return copy;
}

/** Docker would download the frontend that `# syntax=` names, and has no way to it: it uses the one that it holds. */
async function withoutSyntax({ name }: PublishedBuild): Promise<string> {
  const file = join(scratch, "Dockerfile");
  const text = await readFile(join(buildsFolder, name, "Dockerfile"), "utf8");
  await writeFile(file, text.replace(/^# syntax=.*\n/, ""));
  return file;
}

/** Docker's own build of it runs as ours does there, and ours on Docker and Podman. */
async function elsewhere(
  build: PublishedBuild,
  tag: string,
  cell: (what: string, check: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const moved = `${tag}-ours`;
  await succeeded("tagging", own(first)("tag", tag, moved));
  for (const [name, client] of [
    ["docker", peer],
    ["podman", podman],
  ] as const) {
    await cell(`ours on ${name}`, async () => {
      await move(moved, own(first), client);
      await runPublished(client, build, name === "podman" ? `docker.io/library/${moved}` : moved);
      return "yes";
    });
    await client("rmi", "-f", name === "podman" ? `docker.io/library/${moved}` : moved);
  }
  await cell("BuildKit's on docker", async () => {
    await runPublished(peer, build, tag);
    return "yes";
  });
}

/** Passes over what the case says that BuildKit does otherwise, and tells it. */
function toldBut(differences: Difference[], unlike: readonly Unlike[]): string {
  const fits = ({ where, what }: Difference, known: Unlike): boolean =>
    where === known.where && what.startsWith(known.what);
  const rest = differences.filter((each) => !unlike.some((known) => fits(each, known)));
  const seen = unlike.filter((known) => differences.some((each) => fits(each, known)));
  return [told(rest), ...seen.map(({ where, what, why }) => `but ${where} (${what}): ${why}`)].join("; ");
}

function told(differences: Difference[]): string {
  if (differences.length === 0) return "yes";
  const lines = differences.slice(0, 40).map(({ where, what }) => `    ${where}: ${what}`);
  return [`NO, ${differences.length} differences`, ...lines].join("\n");
}
