import { rm } from "node:fs/promises";
import type { Container } from "../container.ts";
import { bundleOf, type Context, folderOf, tell } from "../context.ts";
import { removeViews } from "../start/mounts/image-views.ts";
import { releaseShm } from "../start/mounts/shm.ts";
import { removeAnonymous } from "../start/mounts/volumes.ts";
import { releaseRun } from "./release-run.ts";

/**
 * Makes a container that does not run disappear; the caller holds the lock. Name, id and volumes are free when this
 * returns; its files go in the background, and what a crash leaves of them is swept at the next start.
 */
export async function discard(
  ctx: Context,
  container: Container,
  { volumes, exitCode }: { volumes: boolean; exitCode: number },
): Promise<void> {
  container.removing = true;
  container.cancelRestart?.();
  const takesVolumes = volumes && container.spec.mounts.some((mount) => mount.anonymous);
  if (takesVolumes) {
    container.life = { ...container.life, status: "removing" };
    ctx.store.saveLife(container);
    // a volume is busy until nothing mounts it any more
    await releaseRun(ctx, container);
    await removeAnonymous(ctx, container);
  }
  for (const exec of container.execs) ctx.execs.delete(exec);
  for (const session of container.pending) session.end();
  container.pending.clear();
  ctx.store.delete(container);
  tell(ctx, container, "destroy");
  container.waiters.removed(exitCode);
  ctx.background.run(`deletion of ${container.name}`, () => deleteFiles(ctx, container));
}

/** a log service gets this long to take an ended container's last lines */
const logDrainMs = 10_000;

async function deleteFiles(ctx: Context, container: Container): Promise<void> {
  await ctx.runtime.drainLogDriver(container.id, logDrainMs);
  await ctx.runtime.delete(container.id);
  await releaseShm(ctx, container);
  await ctx.snapshots.remove(container.id);
  await removeViews(ctx, container);
  await rm(folderOf(ctx, container.id), { recursive: true, force: true });
  await rm(bundleOf(ctx, container.id), { recursive: true, force: true });
}

/** An auto-removed container that could not start goes at once; the caller holds the lock. */
export const removeFailedStart = (ctx: Context, container: Container): Promise<void> =>
  discard(ctx, container, { volumes: true, exitCode: container.life.exitCode });
