import { rm } from "node:fs/promises";
import { signals } from "../../lib/container/signals.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import { bundleOf, type Context, folderOf, tell } from "../context.ts";
import { endVisit, refuseVisited } from "../exec/stopped.ts";
import { removeLink } from "../links/link.ts";
import { removeViews } from "../start/mounts/image-views.ts";
import { releaseShm } from "../start/mounts/shm.ts";
import { removeAnonymous } from "../start/mounts/volumes.ts";
import { releaseRun } from "./exit.ts";
import { giveUpRestart } from "./restart-manager.ts";
import { killAndWait, startSettled } from "./stop.ts";

interface RemoveOptions {
  force: boolean;
  volumes: boolean;
  /** take away only the name that a link gives */
  link?: boolean;
}

/** `DELETE /containers/{id}`; `reference` is what the client called it. */
export async function remove(
  ctx: Context,
  container: Container,
  reference: string,
  options: RemoveOptions,
): Promise<void> {
  if (options.link) return removeLink(ctx, reference);
  if (container.removing)
    throw new EngineError("conflict", `removal of container ${reference} is already in progress`);
  if (!options.force) refuseRunning(container, reference);
  container.removing = true;
  try {
    await startSettled(container);
    if (options.force) await endVisit(ctx, container);
    else refuseVisited(container);
    if (container.alive) await killAndWait(ctx, container, signals.kill, { sender: "remove", byUser: true });
    await container.lock.run(async () => {
      // an auto-removed container is gone by now
      if (ctx.store.get(container.id) !== container) return;
      if (!options.force) refuseRunning(container, reference);
      if (container.alive)
        throw new EngineError("internal", `could not kill container ${reference} before removal`);
      if (container.life.status === "restarting") giveUpRestart(ctx, container);
      await discard(ctx, container, { volumes: options.volumes, exitCode: container.life.exitCode });
    });
  } catch (error) {
    container.removing = false;
    container.waiters.removalFailed(container.life.exitCode, messageOf(error));
    throw error;
  }
}

function refuseRunning({ life }: Container, reference: string): void {
  const because =
    life.status === "running" || life.status === "starting"
      ? "container is running: stop the container before removing or force remove"
      : life.status === "paused"
        ? "container is paused and must be unpaused first"
        : life.status === "restarting"
          ? "container is restarting: stop the container before removing or force remove"
          : undefined;
  if (because !== undefined)
    throw new EngineError("conflict", `cannot remove container "${reference}": ${because}`);
}

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
