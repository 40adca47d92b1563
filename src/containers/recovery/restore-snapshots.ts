import { messageOf } from "../../lib/errors.ts";
import type { Context } from "../context.ts";

/**
 * Makes the writable layer of a container anew where it is missing: after a power cut a row may be on the disk whose
 * snapshot, made in the seconds before, is not. Waiting for the disk at each create would cost more than this.
 */
export async function restoreSnapshots(ctx: Context): Promise<void> {
  const there = new Set(await ctx.snapshots.keys());
  for (const container of ctx.store.all()) {
    if (there.has(container.id) || container.life.status === "removing") continue;
    const told = { container: container.id };
    try {
      await ctx.snapshots.prepare(container.id, container.spec.layers);
      ctx.logger.warn("a container's writable layer was lost; it has an empty one now", told);
    } catch (error) {
      ctx.logger.error("a container's writable layer was lost", { ...told, error: messageOf(error) });
    }
  }
}
