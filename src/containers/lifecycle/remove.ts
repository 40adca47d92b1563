import { signals } from "../../lib/container/signals.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { endVisit, refuseVisited } from "../exec/visit.ts";
import { removeLink } from "../links/link.ts";
import { discard } from "./discard.ts";
import { giveUpRestart, killAndWait, startSettled } from "./stop.ts";

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
