import { messageOf } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { launch } from "../start/start.ts";

/** Starts a container after a while, unless something is done to it before. */
export function scheduleRestart(ctx: Context, container: Container, delayMs: number): void {
  const cancel = ctx.clock.after(delayMs, () => {
    container.cancelRestart = undefined;
    ctx.background.run(`restart of ${container.name}`, () =>
      container.lock.run(() => restartNow(ctx, container)),
    );
  });
  container.cancelRestart = () => {
    container.cancelRestart = undefined;
    cancel();
  };
}

async function restartNow(ctx: Context, container: Container): Promise<void> {
  if (ctx.closing || container.removing || container.life.status !== "restarting") return;
  try {
    await launch(ctx, container);
  } catch (error) {
    // the failure is recorded with the container, and its next try is planned where there is one
    ctx.logger.warn("restart failed", { container: container.id, error: messageOf(error) });
  }
}
