import type { Container } from "../../container.ts";
import type { Context } from "../../context.ts";

/**
 * Images mounted in a container (`--mount type=image`): a snapshot for each, over the image's layers, which it keeps from
 * being deleted. It is mounted with the container's other mounts, and read-only to the container.
 */
export const viewKeys = (container: Container): string[] =>
  container.spec.mounts.flatMap(({ image }) => (image && image.key !== "" ? [image.key] : []));

/** Gives each view its key and makes its snapshot; part of a create. */
export async function prepareViews(ctx: Context, container: Container): Promise<void> {
  let index = 0;
  for (const mount of container.spec.mounts) {
    if (!mount.image) continue;
    const key = `${container.id}-image${index++}`;
    mount.image = { ...mount.image, key };
    await ctx.snapshots.prepare(key, mount.image.layers);
    mount.point = { ...mount.point, Source: ctx.snapshots.rootPath(key) };
  }
}

export async function unmountViews(ctx: Context, container: Container): Promise<void> {
  for (const key of viewKeys(container)) await ctx.snapshots.unmount(key);
}

export async function removeViews(ctx: Context, container: Container): Promise<void> {
  for (const key of viewKeys(container)) await ctx.snapshots.remove(key);
}
