import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { unmountUnused } from "../root.ts";
import { releaseShm } from "../start/mounts/shm.ts";

/** What a run leaves on the host, taken away; each step is a success for what is already gone. */
export async function releaseRun(ctx: Context, container: Container): Promise<void> {
  const { id } = container;
  const step = (what: string, work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) =>
      ctx.logger.warn(`${what} of an ended container`, { container: id, error: String(error) }),
    );
  await step("runtime state", ctx.runtime.delete(id));
  await step("shared memory", releaseShm(ctx, container));
  await step("mount", unmountUnused(ctx, container));
}
