import { readdir } from "node:fs/promises";
import { messageOf, wrap } from "../../lib/errors.ts";
import { existsWithin } from "../../system/files/tree-copy.ts";
import { reach } from "../../system/mount/reach.ts";
import { fillerPrefix } from "../../volumes/contract.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { ResolvedMount } from "../contract.ts";
import { remapOf } from "../remap.ts";
import { mountRoot } from "../root.ts";
import { readyVolume } from "../start/mounts/volumes.ts";

type VolumeMount = ResolvedMount & { volume: string };

const isToFill = (mount: ResolvedMount): mount is VolumeMount => mount.copyUp && mount.volume !== undefined;

/**
 * New volumes get what the image has at their places when the container is made, as with Docker: others may use them
 * before it starts, and what is emptied later stays empty.
 */
export async function fillVolumes(ctx: Context, container: Container): Promise<void> {
  const mounts = container.spec.mounts.filter(isToFill);
  // their server may be gone since somebody else's start mounted them
  await reach(mounts.filter(isLocal).map(({ point }) => point.Source));
  const empty = await Promise.all(mounts.map(mayBeEmpty));
  const open = mounts.filter((_, index) => empty[index]);
  if (open.length > 0) await fill(ctx, container, open);
  for (const mount of mounts) mount.copyUp = false;
}

const isLocal = ({ point }: VolumeMount): boolean => point.Driver === "local";

/** Volumes with options, and those of plugins, show what they hold only while they are mounted. */
async function mayBeEmpty(mount: VolumeMount): Promise<boolean> {
  if (!isLocal(mount)) return true;
  return (await readdir(mount.point.Source).catch((): string[] => [])).length === 0;
}

async function fill(ctx: Context, container: Container, mounts: readonly VolumeMount[]): Promise<void> {
  const user = `${fillerPrefix}${container.id}`;
  const remapped = remapOf(ctx, container) !== undefined;
  const root = await mountRoot(ctx, container);
  try {
    for (const mount of mounts) {
      if (!existsWithin(root, mount.point.Destination)) continue;
      try {
        await readyVolume(ctx, mount, mount.volume, { root, user, remapped });
      } catch (error) {
        throw wrap("failed to populate volume", error);
      } finally {
        await ctx.volumes.release(mount.volume, user).catch((error: unknown) =>
          ctx.logger.warn("a volume could not be let go", {
            volume: mount.volume,
            error: messageOf(error),
          }),
        );
      }
    }
  } finally {
    await ctx.snapshots.unmount(container.id);
  }
}
