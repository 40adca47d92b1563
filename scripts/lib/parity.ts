/**
 * Parity: the recorded cases of Docker, played against an engine of our own in a network namespace of its own.
 * `tests/parity/<client>.txt` lists the cases that pass; one of them that fails now is a regression. What is not in it
 * is listed with its reason in docs/parity.md.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { startEngine, type TestEngine } from "../../tests/harness/engine.ts";
import { startRegistry } from "../../tests/harness/registry.ts";
import type { Failure } from "./junit.ts";
import type { Tally } from "./suite.ts";

/** `classic`: docker's client with `DOCKER_BUILDKIT=0`, for the build cases alone. */
export type Client = "docker" | "berth" | "classic";

const corpus = resolve("../shared/parity");
export const listFile = (client: Client): string => `tests/parity/${client}.txt`;

/** Where docker's client looks for plugins that the system brought. */
const pluginFolders = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];
const hasPlugin = (name: string): boolean =>
  pluginFolders.some((folder) => existsSync(join(folder, `docker-${name}`)));

/** The plugin that an area's cases run, with that client. */
function pluginOf(client: Client, test: string): string | undefined {
  if (test.startsWith("compose/")) return "compose";
  return client === "docker" && test.startsWith("build/") ? "buildx" : undefined;
}

/** Puts docker's plugins on this machine where the means for it stand beside the project. */
export async function ensurePlugins(): Promise<void> {
  const installer = resolve("../shared/peers/plugins");
  if ((hasPlugin("buildx") && hasPlugin("compose")) || !existsSync(installer)) return;
  const child = Bun.spawn([installer], { stdout: "ignore", stderr: "inherit", stdin: "ignore" });
  if ((await child.exited) !== 0) console.log(`docker's plugins could not be had (${installer})`);
}

async function listed(client: Client): Promise<string[]> {
  const text = await readFile(listFile(client), "utf8");
  return text.split("\n").filter((line) => line && !line.startsWith("#"));
}

const environmentOf = (client: Client): Record<string, string> =>
  client === "classic" ? { DOCKER_BUILDKIT: "0" } : {};

/** What Docker's classic builder says to the build cases: the corpus holds only what BuildKit said. */
const classicExpected = "tests/parity/classic";

/** Cases about what only BuildKit has: options the classic builder's client refuses, here documents, `RUN --mount`. */
const beyondClassic: readonly string[] = [
  "cache-invalidation-arg",
  "cache-invalidation-copy",
  "call-targets-outline",
  "copy-errors",
  "copy-heredoc",
  "mount-bind",
  "mount-cache",
  "no-cache",
  "run-failure",
  "secrets",
];

/** The build cases that the classic builder can do, with its answers beside them. */
async function classicCases(folder: string): Promise<string> {
  const cases = join(folder, "cases");
  await cp(join(corpus, "cases/build"), join(cases, "build"), {
    recursive: true,
    filter: (path) => !path.endsWith(".expected") && !beyondClassic.includes(basename(path, ".sh")),
  });
  if (existsSync(classicExpected)) await cp(classicExpected, cases, { recursive: true });
  return cases;
}

/** How the recording machine failed to look up a name, as every machine without a resolver says it. */
const withoutResolver = (text: string): string =>
  text.replace(/ on [\d.]+:53: dial udp [\d.]+:53: connect: network is unreachable/g, ": no such host");

/** Writes down what the Docker at `DOCKER_HOST` says by its classic builder. */
export async function recordClassic(filters: string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "berth-parity-"));
  try {
    const cases = await classicCases(folder);
    const child = Bun.spawn([join(corpus, "run"), "--record", "--cases", cases, ...filters], {
      env: { ...process.env, ...environmentOf("classic") },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    });
    await child.exited;
    await mkdir(join(classicExpected, "build"), { recursive: true });
    for (const name of await readdir(join(cases, "build")))
      if (name.endsWith(".expected")) {
        const text = await readFile(join(cases, "build", name), "utf8");
        await writeFile(join(classicExpected, "build", name), withoutResolver(text));
      }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Plays the cases whose path holds one of `filters`; returns each case's name and whether it passed. */
export async function play(
  engine: TestEngine,
  client: Client,
  filters: string[],
  show = false,
): Promise<Map<string, boolean>> {
  const folder = await mkdtemp(join(tmpdir(), "berth-parity-"));
  const registry = filters.some((each) => /^(registry|build)\b/.test(each))
    ? await startRegistry(engine, { port: 5005 })
    : undefined;
  const list = join(folder, "list");
  const cases = client === "classic" ? await classicCases(folder) : undefined;
  const options = [
    ...(show ? ["--show"] : []),
    "--list",
    list,
    "--docker",
    client === "berth" ? resolve("dist/berth") : "docker",
    ...(cases === undefined ? [] : ["--cases", cases]),
  ];
  try {
    const child = Bun.spawn(engine.inNetwork([join(corpus, "run"), ...options, ...filters]), {
      env: { ...process.env, DOCKER_HOST: engine.host, ...environmentOf(client) },
      stdout: show ? "inherit" : "ignore",
      stderr: "inherit",
      stdin: "ignore",
    });
    await child.exited;
    const lines = (await readFile(list, "utf8")).split("\n").filter(Boolean);
    return new Map(lines.map((line) => [line.slice(5), line.startsWith("pass")]));
  } finally {
    await registry?.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The regression run: a case that fails once is tried again alone, since some of Docker's own answers vary. */
export async function parity(client: Client): Promise<Tally> {
  const name = `parity with ${client}`;
  const reason = !existsSync(corpus)
    ? `no recorded cases at ${corpus}`
    : client !== "berth" && !Bun.which("docker")
      ? "no docker client on the PATH"
      : undefined;
  const all = await listed(client);
  if (!reason) await ensurePlugins();
  const cases = all.filter((test) => {
    const plugin = pluginOf(client, test);
    return plugin === undefined || hasPlugin(plugin);
  });
  const skipped = all.length - cases.length;
  if (skipped > 0) console.log(`SKIPPED ${skipped} cases of ${name}: docker's plugin is not installed`);
  if (reason) {
    console.log(`SKIPPED ${name}: ${reason}`);
    return { name, passed: 0, failed: 0, skipped: cases.length };
  }
  const engine = await startEngine({ images: ["busybox"] });
  try {
    const results = await play(engine, client, cases);
    const failures: Failure[] = [];
    // some cases look at whole seconds: what was played before must not be in theirs
    if (cases.some((test) => !results.get(test))) await Bun.sleep(1500);
    for (const test of cases) {
      if (results.get(test) || (await play(engine, client, [test], true)).get(test)) continue;
      failures.push({ test, message: "not what Docker says, twice; the difference is above" });
    }
    const failed = failures.length;
    return {
      name,
      passed: cases.length - failed,
      failed,
      skipped,
      failures: failed ? [{ run: "", failures }] : [],
    };
  } finally {
    await engine.destroy();
  }
}
