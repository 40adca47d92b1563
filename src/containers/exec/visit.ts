import { signals } from "../../lib/container/signals.ts";
import { EngineError } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/** What may not happen while a command runs in a stopped container. */
export function refuseVisited({ visit, name }: Container): void {
  if (visit)
    throw new EngineError(
      "conflict",
      `a command runs in the stopped container ${name} (exec ${visit.execId.slice(0, 12)}): wait until it ends`,
    );
}

/** For a removal by force. */
export async function endVisit(ctx: Context, { visit }: Container): Promise<void> {
  if (!visit) return;
  await ctx.runtime.kill(visit.execId, signals.kill, { all: true });
  await visit.over;
}
