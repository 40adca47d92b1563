import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { signals } from "../../lib/container/signals.ts";
import { processStat, signalPid } from "../../system/process/signals.ts";
import { keepsStdin } from "../conmon/arguments.ts";
import type { RuntimeContext } from "../context.ts";
import type { ExitReport, ProcessState } from "../contract.ts";
import { inBundle, outerGroup } from "../paths.ts";
import { removeRemains } from "./delete.ts";
import { readExit } from "./exits.ts";
import { cgroupOf, conmonOf, livingPid, runtimeOf } from "./recorded.ts";
import { watchContainer } from "./watch.ts";

/* Finding containers again after the engine has ended, however it ended: see `recorded.ts`. */

/** Half of how long an exit that conmon has not written yet is waited for. */
const lateExitMs = 256;

export async function inspectContainer(
  context: RuntimeContext,
  id: string,
): Promise<ProcessState | ExitReport | undefined> {
  const bundle = context.containers.find(id)?.bundle ?? context.paths.bundle(id);
  const cgroup = await cgroupOf(bundle);
  const oomKills = (): number => (cgroup === undefined ? 0 : context.cgroups.oomKills(cgroup));
  const exit = await readExit(id, bundle, oomKills);
  if (exit) return exit;
  const pid = await livingPid(bundle);
  if (pid !== undefined)
    return { pid, running: true, paused: cgroup !== undefined && context.cgroups.isFreezing(cgroup) };
  // it may have ended just now, and its conmon be about to say so
  if (!existsSync(inBundle.pid(bundle))) return undefined;
  for (let waitMs = 1; waitMs <= lateExitMs; waitMs *= 2) {
    const late = await readExit(id, bundle, oomKills);
    if (late) return late;
    await Bun.sleep(waitMs);
  }
  return undefined;
}

export interface Adoptable {
  id: string;
  bundle: string;
  terminal: boolean;
  stdin: boolean;
  stdinOnce?: boolean;
}

/** Watches a container of an earlier engine; an exit that happened meanwhile is told at once. */
export async function adoptContainer(context: RuntimeContext, container: Adoptable): Promise<void> {
  const { id, bundle, terminal, stdin } = container;
  const cgroup = (await cgroupOf(bundle)) ?? context.cgroupParent;
  const pid = await livingPid(bundle);
  const conmonPid = pid === undefined ? undefined : await conmonOf(pid, bundle);
  const common = { id, bundle, terminal, stdin, cgroup, keepsStdin: keepsStdin(container) };
  if (pid !== undefined && conmonPid !== undefined) {
    watchContainer(context, { ...common, pid, conmonPid, runtime: await runtimeOf(context, id) });
    return;
  }
  const kill = (): void => context.cgroups.signalAll(cgroup, signals.kill);
  const oomKills = (): number => context.cgroups.oomKills(cgroup);
  context.exits.add({ id, bundle, monitored: () => false, kill, oomKills });
  await context.exits.monitorGone(id);
}

/** Removes what earlier engines left of containers that are not in `alive`. */
export async function sweepRemains(context: RuntimeContext, alive: ReadonlySet<string>): Promise<void> {
  const { paths, cgroups, cgroupParent } = context;
  const names = await Promise.all([paths.containers, paths.state].map((folder) => readdir(folder)));
  const left = new Set([...names.flat(), ...cgroups.children(cgroupParent)]);
  for (const id of left) {
    if (alive.has(id) || !/^[0-9a-f]{64}$/.test(id)) continue; // crun keeps a cache beside its containers
    const bundle = paths.bundle(id);
    const cgroup = outerGroup((await cgroupOf(bundle)) ?? `${cgroupParent}/${id}`);
    await endLeftover(context, bundle, cgroup);
    await removeRemains(context, { id, bundle, cgroup, runtime: await runtimeOf(context, id) });
    context.logger.info("removed what was left of a container", { container: id });
  }
}

async function endLeftover(context: RuntimeContext, bundle: string, cgroup: string): Promise<void> {
  const pid = await livingPid(bundle);
  const conmonPid = pid === undefined ? undefined : await conmonOf(pid, bundle);
  context.cgroups.signalAll(cgroup, signals.kill);
  // conmon ends by itself within milliseconds; then its files no longer appear behind us
  for (let waitMs = 1; conmonPid !== undefined && waitMs < 1000; waitMs *= 2) {
    if (!processStat(conmonPid)) return;
    await Bun.sleep(waitMs);
  }
  if (conmonPid !== undefined) signalPid(conmonPid, signals.kill);
}
