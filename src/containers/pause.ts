import { EngineError } from "../lib/errors.ts";
import type { Container } from "./container.ts";
import { type Context, recordLife, tell } from "./context.ts";

/** `POST /containers/{id}/pause` */
export const pause = (ctx: Context, container: Container): Promise<void> =>
  container.lock.run(async () => {
    const { status } = container.life;
    if (status === "paused") throw new EngineError("conflict", `Container ${container.id} is already paused`);
    if (status === "restarting")
      throw new EngineError(
        "conflict",
        `Container ${container.id} is restarting, wait until the container is running`,
      );
    if (status !== "running") throw new EngineError("conflict", `container ${container.id} is not running`);
    await ctx.runtime.pause(container.id);
    container.life = { ...container.life, status: "paused" };
    recordLife(ctx, container);
    tell(ctx, container, "pause");
  });

/** `POST /containers/{id}/unpause`; Docker's answer for one that is not paused is a 500. */
export const unpause = (ctx: Context, container: Container): Promise<void> =>
  container.lock.run(async () => {
    if (container.life.status !== "paused")
      throw new EngineError("internal", `Container ${container.id} is not paused`);
    await ctx.runtime.resume(container.id);
    container.life = { ...container.life, status: "running" };
    recordLife(ctx, container);
    tell(ctx, container, "unpause");
  });
