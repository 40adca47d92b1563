import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";
import { nowNs } from "../../lib/time/time.ts";
import type { ExitReport, ProcessState } from "../../runtime/contract.ts";
import type { Container } from "../container.ts";
import { bundleOf, type Context, recordLife } from "../context.ts";
import { startHealth } from "../health/health.ts";
import { discard } from "../lifecycle/discard.ts";
import { exited } from "../lifecycle/exit.ts";
import { running } from "../lifecycle/pause.ts";
import { releaseRun } from "../lifecycle/release-run.ts";
import { wantsStartAtBoot } from "../lifecycle/restart-policy.ts";
import { resumeLogDriver } from "../logs/log-driver.ts";
import { logPathIn, logPolicyOf } from "../logs/logs.ts";
import { mountRoot, unmountUnused } from "../root.ts";
import { viewKeys } from "../start/mounts/image-views.ts";
import { dropShm } from "../start/mounts/shm.ts";
import { sweepStaged } from "../start/mounts/staging.ts";
import { adoptVolumes, releaseVolumes } from "../start/mounts/volumes.ts";
import { startInOrder } from "./boot-order.ts";
import { restoreSnapshots } from "./restore-snapshots.ts";

/** the engine cannot know how a process ended that left no exit file (the machine went down) */
const lostExitCode = 255;
/** how many containers are looked at at once */
const breadth = 8;

/**
 * At the engine's start: finds every container again. One that runs is taken over; one that ended meanwhile gets its
 * exit; one whose start or removal was cut short is put back or finished; then policies restart what they ask for.
 */
export async function recover(ctx: Context): Promise<void> {
  await restoreSnapshots(ctx);
  const containers = ctx.store.all();
  const boot: Container[] = [];
  const queue = [...containers];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const container = next;
      try {
        if (await container.lock.run(() => recoverOne(ctx, container))) boot.push(container);
      } catch (error) {
        ctx.logger.error("a container could not be recovered", {
          container: container.id,
          error: messageOf(error),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: breadth }, worker));
  // deletions that recovery itself began must not meet the sweeps
  await ctx.background.settle();
  await sweep(ctx);
  startInOrder(ctx, boot);
}

/** Puts one container in a true state; says whether its policy wants it started. */
async function recoverOne(ctx: Context, container: Container): Promise<boolean> {
  switch (container.life.status) {
    case "running":
    case "paused":
      adoptVolumes(ctx, container);
      return recoverLiving(ctx, container);
    case "starting":
      return undoStart(ctx, container);
    case "restarting":
      return true;
    case "removing":
      await discard(ctx, container, { volumes: true, exitCode: container.life.exitCode });
      return false;
    default:
      if (container.spec.hostConfig.AutoRemove && container.life.status === "exited") {
        await discard(ctx, container, { volumes: true, exitCode: container.life.exitCode });
        return false;
      }
      // a copy was under way when the last engine ended; this one may show other owners
      await unmountUnused(ctx, container);
      if (!container.neverStarted) await resumeLogDriver(ctx, container, Promise.resolve());
      return ctx.config.restartAtStart && wantsStartAtBoot(container);
  }
}

async function recoverLiving(ctx: Context, container: Container): Promise<boolean> {
  const found = await ctx.runtime.inspect(container.id);
  container.begin();
  await resumeLogDriver(ctx, container, container.ended);
  if (found && isLiving(found)) {
    await takeOver(ctx, container, found);
    return false;
  }
  await exited(ctx, container, found && !isLiving(found) ? found : lostExit(container));
  if (ctx.store.get(container.id) !== container) return false;
  // its restart, if it has one, was planned with the exit: now it takes its turn among the others
  if (container.cancelRestart) {
    container.cancelRestart();
    return true;
  }
  return (
    container.life.status === "exited" &&
    ctx.config.restartAtStart &&
    wantsStartAtBoot(container) &&
    !container.life.stoppedByUser
  );
}

const isLiving = (found: ProcessState | ExitReport): found is ProcessState =>
  "running" in found && found.running;

const lostExit = (container: Container): ExitReport => ({
  id: container.id,
  exitCode: lostExitCode,
  exitedAtNs: nowNs(),
  oomKilled: false,
  lost: true,
});

async function takeOver(ctx: Context, container: Container, found: ProcessState): Promise<void> {
  const { Tty, OpenStdin, StdinOnce } = container.spec.config;
  const logPath = logPathIn(ctx, container);
  if (container.life.sandbox) await ctx.networks.adopt(container.id, container.life.sandbox);
  await mountRoot(ctx, container);
  // a crash between the freezing and its record leaves another state than the recorded one
  container.life = { ...container.life, pid: found.pid, status: found.paused ? "paused" : "running" };
  const { still } = container.life;
  await ctx.runtime.adopt({
    id: container.id,
    bundle: bundleOf(ctx, container.id),
    terminal: Tty,
    stdin: OpenStdin,
    stdinOnce: StdinOnce,
    ...(logPath === undefined ? {} : { logPath }),
  });
  if (still) await runOn(ctx, container);
  if (logPath !== undefined) ctx.runtime.rotate(container.id, logPath, logPolicyOf(ctx, container));
  startHealth(ctx, container);
}

/** The engine had it stand still for work that a crash cut short. */
async function runOn(ctx: Context, container: Container): Promise<void> {
  await ctx.runtime.resume(container.id);
  container.life = running(container.life);
  recordLife(ctx, container);
}

/**
 * Nobody was told that it runs: what was made of it goes, and it is again what it was. Says whether its policy wants it
 * started.
 */
async function undoStart(ctx: Context, container: Container): Promise<boolean> {
  await ctx.networks.close(container.id);
  adoptVolumes(ctx, container);
  await releaseVolumes(ctx, container.id);
  await releaseRun(ctx, container);
  if (container.spec.hostConfig.AutoRemove) {
    await discard(ctx, container, { volumes: true, exitCode: lostExitCode });
    return false;
  }
  const restarts = wantsStartAtBoot(container);
  const ended = restarts ? "restarting" : "exited";
  container.life = { ...container.life, status: container.neverStarted ? "created" : ended, pid: 0 };
  ctx.store.saveLife(container);
  return restarts;
}

/** What no row names goes, before anything new is made. */
async function sweep(ctx: Context): Promise<void> {
  sweepStaged(ctx.config.execRoot);
  const all = ctx.store.all();
  const alive = new Set(all.filter((container) => container.alive).map(({ id }) => id));
  const sweeps = [
    ctx.runtime.sweep(alive),
    ctx.networks.sweep(alive),
    ctx.snapshots.sweep({ keys: new Set(all.flatMap((one) => [one.id, ...viewKeys(one)])) }),
    sweepFolders(ctx),
    ctx.volumes.sweepMounts(),
  ];
  for (const result of await Promise.allSettled(sweeps))
    if (result.status === "rejected") ctx.logger.error("sweep failed", { error: messageOf(result.reason) });
}

/** Folders of containers that have no row: of a create or a removal that a crash cut short. */
async function sweepFolders(ctx: Context): Promise<void> {
  const folder = join(ctx.config.dataRoot, "containers");
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  for (const name of names) {
    if (ctx.store.get(name)) continue;
    dropShm(ctx, name);
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
