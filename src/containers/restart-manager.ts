import { messageOf } from "../lib/errors.ts";
import { parseNs } from "../lib/time.ts";
import type { ExitReport } from "../runtime/contract.ts";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import { launch } from "./start/start.ts";

const firstMs = 100;
const longestMs = 60_000;
/** a run this long was a good one: the next delay is the first again */
const goodRunNs = 10_000_000_000n;

/**
 * Milliseconds until a container that has just ended is started again, undefined when it is to stay: 100 ms, doubling
 * to a minute, from the beginning after a run of ten seconds.
 */
export function nextRestart(
  container: Container,
  report: Pick<ExitReport, "exitCode" | "exitedAtNs">,
): number | undefined {
  if (!wantsRestart(container, report.exitCode)) return undefined;
  const started = parseNs(container.life.startedAt) ?? report.exitedAtNs;
  const before = report.exitedAtNs - started >= goodRunNs ? 0 : container.backoffMs;
  container.backoffMs = before === 0 ? firstMs : Math.min(before * 2, longestMs);
  return container.backoffMs;
}

export function wantsRestart({ spec, life }: Container, exitCode: number): boolean {
  const policy = spec.hostConfig.RestartPolicy;
  if (life.stoppedByUser) return false;
  if (policy.Name === "always" || policy.Name === "unless-stopped") return true;
  if (policy.Name !== "on-failure" || exitCode === 0) return false;
  return policy.MaximumRetryCount === 0 || life.restartCount < policy.MaximumRetryCount;
}

/** Docker's rule at the engine's own start: `always` comes back even where a user had stopped it. */
export function wantsStartAtBoot(container: Container): boolean {
  if (container.spec.hostConfig.RestartPolicy.Name === "always") return !container.neverStarted;
  return !container.neverStarted && wantsRestart(container, container.life.exitCode);
}

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
    // the failure is recorded with the container; it stays ended, as Docker leaves it
    ctx.logger.warn("restart failed", { container: container.id, error: messageOf(error) });
  }
}

/** A container that waits for its restart becomes an ended one; the caller holds the lock. */
export function giveUpRestart(ctx: Context, container: Container): void {
  container.cancelRestart?.();
  container.life = { ...container.life, status: "exited" };
  ctx.store.saveLife(container);
}
