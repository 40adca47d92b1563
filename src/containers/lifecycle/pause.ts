import { EngineError } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import { type Context, recordLife, tell } from "../context.ts";

/** `POST /containers/{id}/pause`; `still` is told in `ContainerLife`. */
export const pause = (ctx: Context, container: Container, still = false): Promise<void> =>
  container.lock.run(() => {
    const { status } = container.life;
    if (status === "paused") throw new EngineError("conflict", `Container ${container.id} is already paused`);
    if (status === "restarting")
      throw new EngineError(
        "conflict",
        `Container ${container.id} is restarting, wait until the container is running`,
      );
    if (status !== "running") throw new EngineError("conflict", `container ${container.id} is not running`);
    return still ? standStill(ctx, container) : freeze(ctx, container);
  });

/** `POST /containers/{id}/unpause`; Docker's answer for one that is not paused is a 500. */
export const unpause = (ctx: Context, container: Container): Promise<void> =>
  container.lock.run(() => {
    if (container.life.status !== "paused")
      throw new EngineError("internal", `Container ${container.id} is not paused`);
    return thaw(ctx, container);
  });

/** Does `work` while the processes of a container that runs stand still; the caller holds the lock. */
export async function whileStill<Result>(
  ctx: Context,
  container: Container,
  work: () => Promise<Result>,
): Promise<Result> {
  if (container.life.status !== "running") return work();
  await standStill(ctx, container);
  try {
    return await work();
  } finally {
    await thaw(ctx, container);
  }
}

/** Its being frozen is written down first: a crash leaves nothing frozen that nobody knows of. */
async function standStill(ctx: Context, container: Container): Promise<void> {
  const before = container.life;
  container.life = { ...before, status: "paused", still: true };
  recordLife(ctx, container);
  try {
    await ctx.runtime.pause(container.id);
  } catch (error) {
    container.life = before;
    recordLife(ctx, container);
    throw error;
  }
  tell(ctx, container, "pause");
}

async function freeze(ctx: Context, container: Container): Promise<void> {
  await ctx.runtime.pause(container.id);
  container.life = { ...container.life, status: "paused" };
  recordLife(ctx, container);
  tell(ctx, container, "pause");
}

async function thaw(ctx: Context, container: Container): Promise<void> {
  await ctx.runtime.resume(container.id);
  container.life = running(container.life);
  recordLife(ctx, container);
  tell(ctx, container, "unpause");
}

/** What was paused runs again. */
export function running({ still: _, ...life }: Container["life"]): Container["life"] {
  return { ...life, status: "running" };
}
