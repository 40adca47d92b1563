import { EngineError } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import { logPathIn } from "./logs.ts";

/** `DELETE /containers/{id}/logs`, our own: under the lock, so that no start or end comes in between. */
export const clearLogs = (ctx: Context, container: Container): Promise<void> =>
  container.lock.run(async () => {
    const path = logPathIn(ctx, container);
    if (path === undefined)
      throw new EngineError("notImplemented", "configured logging driver does not support reading");
    await ctx.runtime.clearLogs(container.id, path);
    tell(ctx, container, "clear_logs");
  });
