import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { EngineError } from "../lib/errors.ts";
import type { FileChange } from "../types/api.ts";
import { copyLocal, exportRoot, getArchive, putArchive, statPath } from "./archive/archive.ts";
import { packFolder, unpackIntoFolder } from "./archive/folder.ts";
import { ArchiveWorker } from "./archive/worker.ts";
import { attach } from "./attach/attach.ts";
import { realClock } from "./clock.ts";
import { commit } from "./commit.ts";
import { Background, type ContainersDeps, type Context } from "./context.ts";
import type { Containers } from "./contract.ts";
import { create } from "./create/create.ts";
import type { HostFacts } from "./create/resources.ts";
import { createExec } from "./exec/create.ts";
import type { Exec } from "./exec/exec.ts";
import { inspectExec } from "./exec/inspect.ts";
import { noSuchExec, startExec } from "./exec/start.ts";
import { inspect } from "./inspect/inspect.ts";
import { top } from "./inspect/top.ts";
import { handleExit } from "./lifecycle/exit.ts";
import { kill } from "./lifecycle/kill.ts";
import { pause, unpause } from "./lifecycle/pause.ts";
import { remove } from "./lifecycle/remove.ts";
import { restart } from "./lifecycle/restart.ts";
import { stop } from "./lifecycle/stop.ts";
import { wait } from "./lifecycle/wait.ts";
import { list } from "./list/list.ts";
import { clearLogs } from "./logs/clear-logs.ts";
import { logs } from "./logs/logs.ts";
import { connect } from "./networks/connect.ts";
import { disconnect, findOrRefuse } from "./networks/disconnect.ts";
import { recover } from "./recovery/recover.ts";
import { unmountUnused } from "./root.ts";
import { reconfigure } from "./settings/reconfigure.ts";
import { rename } from "./settings/rename.ts";
import { renameVolume } from "./settings/rename-volume.ts";
import { update } from "./settings/update.ts";
import { start } from "./start/start.ts";
import { StatsTimer } from "./stats/sampler.ts";
import { followStats, statsOnce } from "./stats/stats.ts";
import { ContainerStore } from "./store.ts";

export type { ContainersDeps } from "./context.ts";

/** Opens the service: reads every container's row. Nothing starts before `recover`. */
export function openContainers(deps: ContainersDeps, options: { clock?: Context["clock"] } = {}): Containers {
  const ctx: Context = {
    ...deps,
    store: new ContainerStore(deps.state),
    execs: new Map<string, Exec>(),
    visits: new Map(),
    facts: hostFacts(deps),
    background: new Background(deps.logger),
    archives: new ArchiveWorker(),
    clock: options.clock ?? realClock,
    stats: new StatsTimer(options.clock ?? realClock),
    closing: false,
  };
  deps.runtime.onExit((report) => ctx.background.run(`exit of ${report.id}`, () => handleExit(ctx, report)));
  const find = (idOrName: string) => ctx.store.find(idOrName);
  return {
    create: (request) => create(ctx, request),
    start: async (id, options) => start(ctx, find(id), options),
    stop: async (id, options) => stop(ctx, find(id), id, options),
    restart: async (id, options) => restart(ctx, find(id), id, options),
    kill: async (id, signal) => kill(ctx, findFor(ctx, id, `cannot kill container: ${id}`), id, signal),
    pause: async (id, options) => pause(ctx, find(id), options?.still),
    unpause: async (id) => unpause(ctx, find(id)),
    remove: async (id, options) => remove(ctx, find(id), id, options),
    connect: async (id, network, endpoint) => connect(ctx, find(id), network, endpoint),
    disconnect: async (id, network, { force }) =>
      disconnect(ctx, force ? findOrRefuse(ctx, id, network) : find(id), network, force),
    rename: async (id, name) => rename(ctx, () => find(id), id, name),
    wait: (id, condition, signal) => wait(find(id), condition, signal),
    list: async (request) => list(ctx, request),
    inspect: async (id, options) => inspect(ctx, find(id), options),
    attach: async (id, request) => attach(ctx, find(id), id, request),
    resize: async (id, size) => {
      const container = find(id);
      if (!container.alive) throw new EngineError("conflict", `container ${container.id} is not running`);
      await ctx.runtime.resize(container.id, size);
    },
    logs: (id, request) => logs(ctx, find(id), request),
    clearLogs: async (id) => clearLogs(ctx, find(id)),
    changes: async (id) => changes(ctx, find(id).id),
    top: async (id, psArgs) => top(ctx, find(id), psArgs),
    stats: {
      once: async (id, options) => statsOnce(ctx, find(id), options),
      follow: (id, signal) => followStats(ctx, find(id), signal),
    },
    update: async (id, request) => update(ctx, id, request),
    commit: async (id, request) => commit(ctx, find(id), request),
    archive: {
      stat: async (id, path) => statPath(ctx, find(id), id, path),
      get: async (id, path) => getArchive(ctx, find(id), id, path),
      put: async (id, request) => putArchive(ctx, find(id), id, request),
      copyLocal: async (id, request) => copyLocal(ctx, find(id), id, request),
      getFolder: (folder, release) => packFolder(ctx, folder, release),
      putFolder: (folder, source, signal) => unpackIntoFolder(ctx, folder, source, signal),
    },
    export: async (id) => exportRoot(ctx, find(id)),
    exec: execUseCases(ctx),
    expectProcess: () => ctx.runtime.expectProcess(),
    renameVolume: (from, to, path) => renameVolume(ctx, from, to, path),
    reconfigure: async (id, body) => reconfigure(ctx, find(id), id, body),
    ...facts(ctx),
    recover: () => recover(ctx),
    close: () => close(ctx),
  };
}

async function changes(ctx: Context, id: string): Promise<FileChange[] | null> {
  const found = await ctx.snapshots.changes(id);
  return found.length === 0 ? null : found.map(({ path, kind }) => ({ Path: path, Kind: kind }));
}

/** A lookup whose failure is told with what was being done. */
function findFor(ctx: Context, id: string, doing: string) {
  const container = ctx.store.lookUp(id);
  if (container) return container;
  throw new EngineError("notFound", `${doing}: No such container: ${id}`);
}

function execUseCases(ctx: Context): Containers["exec"] {
  const find = (id: string): Exec => {
    const exec = ctx.execs.get(id);
    if (!exec) throw noSuchExec(id);
    return exec;
  };
  return {
    create: async (id, request) => createExec(ctx, ctx.store.find(id), id, request),
    start: async (id, options) => startExec(ctx, find(id), options),
    inspect: (id) => inspectExec(find(id)),
    resize: async (id, size) => {
      const exec = find(id);
      await exec.starting;
      if (exec.status !== "running")
        throw new EngineError("internal", "timeout waiting for exec session ready");
      if (exec.visiting) await ctx.runtime.resize(id, size);
      else await ctx.runtime.resizeExec(id, size);
    },
  };
}

/** What other services ask about containers. */
function facts(ctx: Context): Pick<Containers, "usersOfImage" | "usersOfVolume" | "alive" | "counts"> {
  return {
    usersOfImage: (imageId) =>
      ctx.store
        .uses()
        .ofImage(imageId)
        .map(({ id, running }) => ({ containerId: id, running })),
    usersOfVolume: (name) =>
      ctx.store
        .uses()
        .ofVolume(name)
        .map(({ id }) => id),
    alive: () =>
      new Set(
        ctx.store
          .all()
          .filter((one) => one.alive || one.life.status === "starting")
          .map(({ id }) => id),
      ),
    counts: () => {
      const all = ctx.store.all();
      const paused = all.filter(({ life }) => life.status === "paused").length;
      const running = all.filter((one) => one.running).length - paused;
      return { total: all.length, running, paused, stopped: all.length - running - paused };
    },
  };
}

/** Containers stay: they outlive the engine. Timers end, and what is half done comes to its end. */
async function close(ctx: Context): Promise<void> {
  ctx.closing = true;
  ctx.stats.close();
  for (const container of ctx.store.all()) {
    container.cancelRestart?.();
    container.health?.stop();
    for (const session of container.pending) session.end();
    container.pending.clear();
    if (container.cancelUnmount)
      ctx.background.run("unmount a container's root", () => unmountUnused(ctx, container));
  }
  await ctx.background.settle();
  ctx.archives.close();
}

function hostFacts({ runtime }: ContainersDeps): HostFacts {
  const read = (file: string, otherwise: string): string => {
    try {
      return readFileSync(file, "utf8").trim();
    } catch {
      // a kernel without NUMA has no such file
      return otherwise;
    }
  };
  const cpus = availableParallelism();
  return {
    cpus,
    cpuList: read("/sys/devices/system/cpu/online", `0-${cpus - 1}`),
    memoryNodes: read("/sys/devices/system/node/online", "0"),
    cgroupVersion: runtime.facts.cgroupVersion,
    blkioWeight: runtime.facts.blkioWeight,
  };
}
