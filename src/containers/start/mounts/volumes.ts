import { statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { isKind, messageOf } from "../../../lib/errors.ts";
import { parseIdMap } from "../../../lib/users/id-map.ts";
import type { MountInput } from "../../../runtime/spec/input.ts";
import { folderModeBeneath } from "../../../system/files/beneath.ts";
import { mountRestrictions } from "../../../system/mount/mount-flags.ts";
import { reach } from "../../../system/mount/reach.ts";
import type { Container } from "../../container.ts";
import type { Context } from "../../context.ts";
import type { ResolvedMount } from "../../contract.ts";
import { checkBindSource } from "../../create/mount-request.ts";
import { remapOf } from "../../remap.ts";
import { refuseDataRoot, refuseDataRootVolume } from "./data-root.ts";
import { propagating } from "./propagation.ts";
import { type Keep, stage, stageMapped } from "./staging.ts";
import { subpathSource } from "./subpath.ts";
import { tmpfsOptions } from "./tmpfs.ts";

/** What `--mount type=bind` needs must still be there; told before anything of the start is done. */
export async function checkSources(container: Container): Promise<void> {
  const needed = container.spec.mounts.flatMap(({ point, options }) =>
    point.Type === "bind" && !options.includes("create-source") ? [point.Source] : [],
  );
  await reach(needed);
  for (const source of needed) checkBindSource(source);
}

const bindSources = ({ spec }: Container): string[] =>
  spec.mounts.flatMap(({ point }) => (point.Type === "bind" ? [point.Source] : []));

export interface Preparation {
  /** the container's mounted root, to fill new volumes from */
  root: string;
  keep: Keep;
  /** who holds the volumes, until `releaseVolumes` */
  user: string;
}

/** Makes volumes and bind sources ready and says how to mount them. */
export async function prepareMounts(
  ctx: Context,
  container: Container,
  { root, keep, user }: Preparation,
): Promise<MountInput[]> {
  await reach(bindSources(container));
  const mounts: MountInput[] = [];
  const remapped = remapOf(ctx, container) !== undefined;
  const tmpfs = new Map(Object.entries(container.spec.hostConfig.Tmpfs ?? {}));
  // Docker's choice where both are asked for
  for (const mount of container.spec.mounts)
    if (!tmpfs.has(mount.point.Destination))
      mounts.push(await prepareOne(ctx, mount, { root, keep, user, remapped }));
  for (const [target, options] of tmpfs) mounts.push(tmpfsMount(root, target, tmpfsOptions(options)));
  return mounts;
}

/** Over a folder of the image it has that folder's mode, unless one is given; else the kernel's, 1777. */
function tmpfsMount(root: string, destination: string, options: readonly string[]): MountInput {
  const mode = options.some((option) => option.startsWith("mode="))
    ? undefined
    : folderModeBeneath(root, destination);
  const own = mode === undefined ? [] : [`mode=${mode.toString(8).padStart(4, "0")}`];
  return { destination, type: "tmpfs", source: "tmpfs", options: [...options, ...own] };
}

interface OwnPreparation extends Preparation {
  /** its volumes and images show owners as its root does; binds of the host's do not, as in Docker */
  remapped: boolean;
}

async function prepareOne(
  ctx: Context,
  mount: ResolvedMount,
  preparation: OwnPreparation,
): Promise<MountInput> {
  const { keep, remapped } = preparation;
  const { point } = mount;
  if (mount.tmpfs) return tmpfsMount(preparation.root, point.Destination, mount.tmpfs.options);
  const data =
    mount.volume === undefined ? undefined : await readyVolume(ctx, mount, mount.volume, preparation);
  if (data === undefined && mount.options.includes("create-source")) await makeSource(point.Source);
  const asked = point.Type === "bind" ? await propagating(point.Source, mount.options) : mount.options;
  // bound by its real path: what was looked at
  const own = remapped && point.Type === "bind" ? await refuseDataRoot(ctx, point.Source) : point.Source;
  const base = mount.image
    ? await ctx.snapshots.mount(mount.image.key, { remapped, bare: true })
    : (data ?? own);
  const source = await sourceOf(ctx, mount, base, keep);
  return {
    destination: point.Destination,
    type: "bind",
    source,
    options: runtimeOptions(asked, source),
  };
}

/** The host path that the runtime is to bind, staged where more is asked for than the path itself. */
async function sourceOf(ctx: Context, mount: ResolvedMount, base: string, keep: Keep): Promise<string> {
  const { execRoot } = ctx.config;
  if (mount.idMap !== undefined) return stageMapped(execRoot, base, parseIdMap(mount.idMap), keep);
  if (mount.options.includes("bind")) return stage(execRoot, base, { recursive: false }, keep);
  return mount.subpath === undefined ? base : subpathSource(execRoot, base, mount.subpath, keep);
}

/** Our own words, and the default. */
const notForRuntime: ReadonlySet<string> = new Set(["create-source", "writable-below", "by-default", "rw"]);

/**
 * Read-only also is what is mounted below, unless the user wanted it otherwise. Below a file nothing is mounted, and
 * crun would open it as a folder. What restricts the source's own mount is said again: crun gives the new mount exactly
 * the flags it is told, and would make a read-only source writable.
 */
function runtimeOptions(options: readonly string[], source: string): string[] {
  const whole =
    options.includes("ro") &&
    options.includes("rbind") &&
    !options.includes("writable-below") &&
    statSync(source, { throwIfNoEntry: false })?.isDirectory() !== false;
  const known = options.filter((option) => !notForRuntime.has(option));
  const inherited = mountRestrictions(source).filter((option) => !known.includes(option));
  return [...known, ...inherited, ...(whole ? ["rro"] : [])];
}

/** Mounts a volume for its user, filled where it is new; its folder. */
export async function readyVolume(
  ctx: Context,
  mount: ResolvedMount,
  name: string,
  { root, user, remapped }: Omit<OwnPreparation, "keep">,
): Promise<string> {
  if (!ctx.volumes.has(name)) await ctx.volumes.create({ Name: name, Driver: mount.point.Driver ?? "local" });
  const data = await ctx.volumes.mount(name, user);
  // its server may be gone since somebody else's start mounted it
  await reach([data]);
  if (remapped) await refuseDataRootVolume(ctx, name, { Driver: mount.point.Driver, data });
  const through = remapped ? ctx.snapshots.remappedPath(data) : undefined;
  if (mount.copyUp)
    await ctx.volumes.copyUp(name, user, {
      root,
      source: mount.point.Destination,
      ...(through === undefined ? {} : { through }),
    });
  return through ?? data;
}

/**
 * Lets go of all that a user of volumes holds, also what its container has no more (`update --mount-rm`); a failure is
 * told to the log, as there is nobody left to tell.
 */
export async function releaseVolumes(ctx: Context, user: string): Promise<void> {
  for (const volume of ctx.volumes.heldBy(user))
    await ctx.volumes
      .release(volume, user)
      .catch((error: unknown) =>
        ctx.logger.warn("a volume could not be let go", { volume, error: messageOf(error) }),
      );
}

/** A container that a new engine found held its volumes all along. */
export function adoptVolumes(ctx: Context, container: Container): void {
  for (const { volume } of container.spec.mounts)
    if (volume !== undefined) ctx.volumes.adopt(volume, container.id);
}

/** `-v` makes a folder of a source that is not there. */
async function makeSource(source: string): Promise<void> {
  try {
    await stat(source);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(source, { recursive: true, mode: 0o755 });
  }
}

const volumeMounts = (container: Container) =>
  container.spec.mounts.filter((mount) => mount.volume !== undefined);

export function tellMounted(ctx: Context, container: Container): void {
  for (const { volume = "", point } of volumeMounts(container))
    ctx.events.publish({
      type: "volume",
      action: "mount",
      id: volume,
      attributes: {
        container: container.id,
        destination: point.Destination,
        driver: point.Driver ?? "local",
        propagation: point.Propagation,
        "read/write": String(point.RW),
      },
    });
}

export function tellUnmounted(ctx: Context, container: Container): void {
  for (const { volume = "", point } of volumeMounts(container))
    ctx.events.publish({
      type: "volume",
      action: "unmount",
      id: volume,
      attributes: { container: container.id, driver: point.Driver ?? "local" },
    });
}

/** Removes the anonymous volumes that went with a container and that no other names; pinned ones stay. */
export async function removeAnonymous(ctx: Context, container: Container): Promise<void> {
  for (const { volume, anonymous } of container.spec.mounts) {
    if (volume === undefined || !anonymous) continue;
    const users = ctx.store
      .all()
      .filter(
        (other) => other.id !== container.id && other.spec.mounts.some((mount) => mount.volume === volume),
      )
      .map((other) => other.id);
    try {
      await ctx.volumes.remove(volume, { force: true, users });
    } catch (error) {
      // it is pinned, another container mounts it with --volumes-from, or somebody removed it by name
      if (!isKind(error, "conflict") && !isKind(error, "notFound")) throw error;
    }
  }
}
