import { formatNs } from "../../lib/time/time.ts";
import type { ExitReport } from "../../runtime/contract.ts";
import type { Container } from "../container.ts";
import { type Context, recordLife, tell } from "../context.ts";
import { forgetUnstarted } from "../exec/create.ts";
import { tellNetworks } from "../networks/request.ts";
import { releaseVolumes, tellUnmounted } from "../start/mounts/volumes.ts";
import { discard } from "./discard.ts";
import { endedBy, whyEnded } from "./ended.ts";
import { releaseRun } from "./release-run.ts";
import { scheduleRestart } from "./restart-manager.ts";
import { nextRestart } from "./restart-policy.ts";

const unhealthyRestartMs = 100;

/** A container's process has ended: the runtime says so, once per life. */
export async function handleExit(ctx: Context, report: ExitReport): Promise<void> {
  const visit = ctx.visits.get(report.id);
  if (visit) {
    visit(report.exitCode);
    return;
  }
  const container = ctx.store.get(report.id);
  // an exec's id, or a container that was removed while it still ran
  if (!container) return;
  await container.lock.run(async () => {
    if (container.alive) await exited(ctx, container, report);
  });
}

/**
 * Takes a life to its end; the caller holds the lock. Waiters hear as soon as the end is a fact; mounts, network and
 * cgroup go after that, still under the lock, so that the next start finds all of it free.
 */
export async function exited(ctx: Context, container: Container, report: ExitReport): Promise<void> {
  container.health?.stop();
  const sandbox = container.life.sandbox;
  const execDuration = String(Math.trunc(container.ranMs(report.exitedAtNs) / 1000));
  const delayMs = ctx.closing ? undefined : (unhealthyRestart(container) ?? nextRestart(container, report));
  recordExit(container, report, delayMs !== undefined);
  const removes =
    container.spec.hostConfig.AutoRemove &&
    delayMs === undefined &&
    !container.restartingByUser &&
    // whoever removes it says what becomes of its volumes
    !container.removing;
  // an auto-removed container's exit needs no record of its own: its row goes at once, and a crash before that finds
  // the exit with the runtime again
  if (!removes) recordLife(ctx, container);
  const closing = ctx.networks.close(container.id);
  tellHealthWaiters(container);
  container.waiters.exited(report.exitCode);
  container.end();
  forgetUnstarted(ctx, container);
  if (report.oomKilled) tell(ctx, container, "oom");
  await closing.catch((error: unknown) =>
    ctx.logger.warn("network of an ended container", { container: container.id, error: String(error) }),
  );
  tellNetworks(ctx, container, sandbox, "disconnect");
  tellUnmounted(ctx, container);
  await releaseVolumes(ctx, container.id);
  for (const _ of container.stopping) tell(ctx, container, "stop");
  container.stopping.clear();
  tell(ctx, container, "die", {
    execDuration,
    exitCode: String(report.exitCode),
  });
  if (removes) {
    await discard(ctx, container, { volumes: true, exitCode: report.exitCode });
    return;
  }
  await releaseRun(ctx, container);
  if (delayMs !== undefined) scheduleRestart(ctx, container, delayMs);
}

function recordExit(container: Container, report: ExitReport, restarting: boolean): void {
  const life = { ...container.life };
  delete life.sandbox;
  delete life.still;
  container.life = {
    ...life,
    status: restarting ? "restarting" : "exited",
    pid: 0,
    exitCode: report.exitCode,
    oomKilled: report.oomKilled,
    ended: endedBy(container.sent, report),
    finishedAt: formatNs(report.exitedAtNs),
    ...(restarting ? { restartCount: life.restartCount + 1 } : {}),
  };
  container.sent = [];
  container.restartsUnhealthy = false;
}

/** `--health-on-failure restart`: again after a moment, unless a user stopped it meanwhile. */
function unhealthyRestart({ restartsUnhealthy, life }: Container): number | undefined {
  return restartsUnhealthy && !life.stoppedByUser ? unhealthyRestartMs : undefined;
}

function tellHealthWaiters(container: Container): void {
  const why = whyEnded(container)?.reason ?? "it ended";
  container.waiters.settled({
    StatusCode: 1,
    Error: { Message: `container ${container.name} is not running: ${why}` },
  });
}
