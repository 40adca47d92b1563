/** Builds and runs what `tests/builds` holds, by whatever client and engine the commands given here reach. */
import { existsSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PublishedBuild, Toolchain } from "../builds/cases.ts";
import type { Outcome } from "./engine.ts";
import { comesTrue } from "./until.ts";

/** A client with docker's grammar: its arguments without the program's name. */
export type Client = (...args: string[]) => Promise<Outcome>;

export const buildsFolder = "tests/builds";

export async function succeeded(what: string, outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  if (code !== 0) throw new Error(`${what} ended with ${code}: ${stderr.slice(-4000)}${stdout.slice(-2000)}`);
  return stdout;
}

/** Arguments that reach the packages through a proxy and leave no trace in the image. */
const proxied = (proxy: string): string[] => ["--build-arg", `http_proxy=${proxy}`];

/**
 * The base of that name, `:bookworm`: made once and kept as an archive beside the other fixtures until its Dockerfile
 * changes, for a toolchain takes minutes.
 */
export async function bringBase(client: Client, base: "debian" | Toolchain, proxy: string): Promise<void> {
  const folder = `${buildsFolder}/bases/${base}`;
  const file = join(tmpdir(), `berth-fixture-base-${base}.tar`);
  const made = madeOf(base);
  const note = `${file}.of`;
  if (existsSync(file) && existsSync(note) && readFileSync(note, "utf8") === made) {
    await succeeded(`loading ${base}`, client("load", "-q", "-i", file));
    return;
  }
  const image = `${base}:bookworm`;
  await succeeded(`building ${base}`, client("build", "-q", ...proxied(proxy), "-t", image, folder));
  await succeeded(`saving ${base}`, client("save", "-o", `${file}.${process.pid}`, image));
  await rm(note, { force: true });
  await rename(`${file}.${process.pid}`, file);
  await writeFile(note, made);
}

/** What a base is made of: by contents, for a fresh checkout's files are all new. */
const madeOf = (base: string): string =>
  [...new Set([base, "debian"])]
    .map((name) => readFileSync(`${buildsFolder}/bases/${name}/Dockerfile`, "utf8"))
    .join("\n");

export interface PublishedOptions {
  proxy: string;
  tag: string;
  /** seconds */
  epoch: number;
  noCache?: boolean;
  /** instead of the folder's own */
  dockerfile?: string;
  /** instead of the folder itself */
  context?: string;
}

/** Builds one and returns the image's ID. */
export async function buildPublished(
  client: Client,
  { name, args = [] }: PublishedBuild,
  { proxy, tag, epoch, noCache = false, dockerfile, context }: PublishedOptions,
): Promise<string> {
  const options = [...args, ...proxied(proxy), "--build-arg", `SOURCE_DATE_EPOCH=${epoch}`];
  if (noCache) options.push("--no-cache");
  if (dockerfile !== undefined) options.push("-f", dockerfile);
  const command = ["build", "--progress=plain", ...options, "-t", tag, context ?? `${buildsFolder}/${name}`];
  await succeeded(`building ${name}`, client(...command));
  return (await succeeded("inspecting", client("image", "inspect", "-f", "{{.Id}}", tag))).trim();
}

/** Runs an image; throws unless it does what its case says. */
export async function runPublished(client: Client, build: PublishedBuild, image: string): Promise<void> {
  if (build.run !== undefined) {
    const told = await succeeded(`running ${image}`, client("run", "--rm", image, ...(build.run.args ?? [])));
    expectText(image, told, build.run.says);
  }
  if (build.serve !== undefined) await serve(client, build.serve, image);
}

function expectText(image: string, told: string, wanted: string | RegExp): void {
  const same = typeof wanted === "string" ? told === wanted : wanted.test(told);
  if (!same) throw new Error(`${image} said ${JSON.stringify(told)} and not ${wanted}`);
}

async function serve(
  client: Client,
  { probe, says, stops }: NonNullable<PublishedBuild["serve"]>,
  image: string,
): Promise<void> {
  const container = (await succeeded(`starting ${image}`, client("run", "-d", image))).trim();
  try {
    let told = "";
    await comesTrue(
      async () => {
        const { stdout, stderr } = await client("exec", container, ...probe);
        told = stdout || stderr;
        return told === says;
      },
      { everyMs: 250 },
    );
    expectText(image, told, says);
    await succeeded(`stopping ${image}`, client("stop", "-t", stops === 137 ? "1" : "30", container));
    const code = await succeeded("inspecting", client("inspect", "-f", "{{.State.ExitCode}}", container));
    if (Number(code) !== stops)
      throw new Error(`${image} ended with ${code.trim()} and not ${stops} when it was stopped`);
  } finally {
    await client("rm", "-f", "-v", container);
  }
}
