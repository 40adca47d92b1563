import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { signals } from "../../lib/container/signals.ts";
import { processStat, signalPid } from "../../system/process/signals.ts";
import type { Spec } from "../../types/runtime-spec.ts";
import { keepsStdin } from "../conmon/arguments.ts";
import type { RuntimeContext } from "../context.ts";
import type { ExitReport, ProcessState } from "../contract.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { inBundle, outerGroup } from "../paths.ts";
import { watchContainer } from "./create.ts";
import { removeRemains } from "./delete.ts";
import { readExit } from "./exits.ts";

/** Half of how long an exit that conmon has not written yet is waited for. */
const lateExitMs = 256;

/** Finding containers again after the engine has ended, however it ended: from conmon's files and the kernel. */

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** The control group a bundle's spec names; undefined without a spec (the engine died before it wrote one). */
export async function cgroupOf(bundle: string): Promise<string | undefined> {
  const text = await textOf(inBundle.config(bundle));
  if (!text) return undefined;
  try {
    return (JSON.parse(text) as Spec).linux.cgroupsPath;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // half written: nothing was created from it
    throw error;
  }
}

/** The container's first process, when it still runs and the number is not another's by now: it is in its cgroup. */
async function livingPid(bundle: string): Promise<number | undefined> {
  const pid = Number(await textOf(inBundle.pid(bundle)));
  if (!(pid > 0)) return undefined;
  const stat = processStat(pid);
  if (!stat || stat.state === "Z" || stat.state === "X") return undefined;
  const cgroup = await cgroupOf(bundle);
  const groups = await textOf(`/proc/${pid}/cgroup`);
  return cgroup !== undefined && groups?.includes(cgroup) ? pid : undefined;
}

/**
 * The conmon of a container's first process: its parent, told by its command line. Undefined where that one was killed:
 * then the process has another parent (init, or a service manager), which must be neither waited for nor signalled.
 */
async function conmonOf(pid: number, bundle: string): Promise<number | undefined> {
  const parent = processStat(pid)?.parent ?? 0;
  const command = parent > 1 ? await textOf(`/proc/${parent}/cmdline`) : undefined;
  return command?.includes(`\0${bundle}\0`) ? parent : undefined;
}

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

/** The runtime that made a container: crun keeps a file `status` of it, runc a `state.json`. */
export async function runtimeOf(context: RuntimeContext, id: string): Promise<OciRuntime> {
  const standard = await context.runtimeNamed(undefined);
  const name = existsSync(join(context.paths.state, id, "state.json")) ? "runc" : "crun";
  return standard.name === name || name === "crun" ? standard : await context.runtimeNamed(name);
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
