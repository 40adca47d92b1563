import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { finishHosts } from "../start/files.ts";

/** A container that runs again may have another address: those that link to it are told. */
export async function refreshLinking(ctx: Context, target: Container): Promise<void> {
  for (const holder of ctx.store.all()) {
    if (!holder.alive || !holder.life.sandbox) continue;
    if (holder.spec.links?.some(({ containerId }) => containerId === target.id))
      await finishHosts(ctx, holder, holder.life.sandbox);
  }
}
