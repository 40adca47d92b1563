import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { mountFlags, parseMountOptions } from "../../../lib/container/mount-options.ts";
import { EngineError } from "../../../lib/errors.ts";
import { mountEntries } from "../../../system/mount/mount-table.ts";
import { reach } from "../../../system/mount/reach.ts";
import type { Volume } from "../../../types/api.ts";
import type { Context } from "../../context.ts";

/**
 * The data root is mounted once more inside itself, with the containers' root as the owner of all that the host's root
 * has there (`userns-remap`). So a remapped container must never see the data root: neither it, nor what lies in it, nor
 * a folder above it, whose bind brings it along. Throws `invalid`; resolves with the source's real path, or with the
 * source where there is none (yet).
 */
export async function refuseDataRoot(ctx: Pick<Context, "config">, source: string): Promise<string> {
  await reach([source]);
  const dataRoot = await realpath(ctx.config.dataRoot);
  const real = await realOrUndefined(source);
  const [root, ways] = await Promise.all([wayTo(dataRoot), wayTo(real ?? (await lastThere(source)))]);
  if (ways.includes(root[0] ?? "")) throw refusal(source, "lies in", dataRoot);
  if (real === undefined) return source;
  await refuseAbove(source, real, dataRoot, root);
  return real;
}

/** Folders are told by device and inode: another mount of the same folder is no other folder. */
async function refuseAbove(
  source: string,
  real: string,
  dataRoot: string,
  root: readonly string[],
): Promise<void> {
  if (root.includes(await identity(real))) throw refusal(source, "holds", dataRoot);
  if (await holdsCopy(real, join(dataRoot, "remapped"))) throw refusal(source, "has a mount of", dataRoot);
}

function refusal(source: string, how: "lies in" | "holds" | "has a mount of", dataRoot: string): EngineError {
  return new EngineError(
    "invalid",
    `${source} cannot be mounted with user namespaces (userns-remap): it ${how} the engine's data root ${dataRoot}, whose files the container could then change; leave it out, or run the container with --userns host`,
  );
}

/** The folder that a volume is a bind of, by options of the driver `local`. */
function boundFolder({ Driver, Options }: Pick<Volume, "Driver" | "Options">): string | undefined {
  const { type = "", o = "", device = "" } = Options ?? {};
  if (Driver !== "local" || device === "") return undefined;
  const isBind = type === "bind" || (parseMountOptions(o).flags & mountFlags.bind) !== 0;
  return isBind ? resolve(device) : undefined;
}

/**
 * The same for a volume: what it binds, or where a plugin has it. The engine's own are in the data root rightly. `data`
 * is where it is, or will be, mounted.
 */
export async function refuseDataRootVolume(
  ctx: Pick<Context, "config" | "volumes">,
  name: string,
  { Driver = "local", data }: { Driver?: string | undefined; data: string },
): Promise<void> {
  if (Driver !== "local") {
    if (data !== "") await refuseDataRoot(ctx, data);
    return;
  }
  const bound = boundFolder(await ctx.volumes.inspect(name));
  if (bound === undefined) return;
  await refuseDataRoot(ctx, bound);
  // what was bound for another container, when the path led elsewhere
  const dataRoot = await realpath(ctx.config.dataRoot);
  const mounted = await realOrUndefined(data);
  if (mounted !== undefined) await refuseAbove(bound, mounted, dataRoot, await wayTo(dataRoot));
}

async function realOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    return undefined; // not there, or none that could be mounted
  }
}

/** The nearest folder above a missing path that is there. */
async function lastThere(path: string): Promise<string> {
  const above = dirname(path);
  return (await realOrUndefined(above)) ?? (above === path ? "/" : lastThere(above));
}

async function identity(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}

/** Device and inode of a path and of all folders above it, itself first. */
async function wayTo(path: string): Promise<string[]> {
  const above = dirname(path);
  return [await identity(path), ...(above === path ? [] : await wayTo(above))];
}

/** Is what is mounted at `mapped` mounted at or below `path`, too (by a recursive bind of the host's)? */
async function holdsCopy(path: string, mapped: string): Promise<boolean> {
  const all = await mountEntries();
  const own = all.findLast(({ point }) => point === mapped);
  return all.some(
    ({ point, device, root, options }) =>
      options.includes("idmapped") &&
      device === own?.device &&
      root === own.root &&
      (point === path || point.startsWith(path === "/" ? "/" : `${path}/`)),
  );
}
