import { join } from "node:path";
import { EngineError } from "../lib/errors.ts";
import { collectGarbage } from "./cache/collect.ts";
import { CacheMounts } from "./cache/mounts.ts";
import { pruneCache } from "./cache/prune.ts";
import { CacheStore } from "./cache/store.ts";
import { cacheUsage } from "./cache/usage.ts";
import { openCalls } from "./calls/calls.ts";
import { remoteContext } from "./contexts/remote.ts";
import { unpackContext } from "./contexts/unpack.ts";
import type { Builds } from "./contract.ts";
import { BuildWorkers } from "./copy/worker/workers.ts";
import type { BuildContextDeps, BuildPaths, BuildsDeps } from "./deps.ts";
import { BuildHistory } from "./history/store.ts";
import { Views } from "./operations/views.ts";
import { startBuild } from "./solver/build.ts";
import { SharedSteps } from "./solver/shared-steps.ts";
import { sweep } from "./sweep.ts";

export interface OpenedBuilds extends Builds {
  /** At start, after the snapshots' sweep: what an engine that was killed left of its builds goes. */
  sweep(): Promise<void>;
  /** Ends every build, and resolves when nothing of them is left. */
  close(): Promise<void>;
}

/** Opens the builds service. */
export function openBuilds(deps: BuildsDeps): OpenedBuilds {
  const paths = pathsOf(deps.config.dataRoot, deps.config.execRoot);
  const context: BuildContextDeps = {
    ...deps,
    paths,
    cache: new CacheStore(deps.state),
    cacheMounts: new CacheMounts(deps.state, paths.mounts),
    workers: new BuildWorkers(),
    views: new Views(deps.snapshots),
    shared: new SharedSteps(),
    history: new BuildHistory(deps.state),
  };
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    build: (request) => {
      const signal = AbortSignal.any([request.signal, closing.signal]);
      const run = startBuild(context, { ...request, signal });
      const end = async (): Promise<void> => {
        if (running.size === 1 && !closing.signal.aborted) await collectGarbage(context);
        running.delete(ended);
      };
      const ended: Promise<unknown> = run.result.then(end, end);
      running.add(ended);
      return run;
    },
    ...openCalls(deps.images),
    unpack: (source, signal) => unpackContext(context, source, signal),
    fetchContext: (url, signal, agent) => remoteContext(context, url, signal, agent),
    history: () => context.history.all(),
    logs: (ref) => context.history.logs(ref),
    forget: (ref) => context.history.remove(ref),
    cacheUsage: () => cacheUsage(context),
    pruneCache: (options) => pruneCache(context, options),
    sweep: async () => {
      context.history.closeOpen();
      await sweep(context);
    },
    close: async () => {
      closing.abort(new EngineError("unavailable", "the engine is shutting down"));
      await Promise.all(running);
      context.workers.close();
    },
  };
}

function pathsOf(dataRoot: string, execRoot: string): BuildPaths {
  const build = join(dataRoot, "build");
  return {
    mounts: join(build, "mounts"),
    lists: join(build, "lists"),
    stats: join(build, "stats"),
    scratch: join(build, "scratch"),
    steps: join(execRoot, "build"),
  };
}
