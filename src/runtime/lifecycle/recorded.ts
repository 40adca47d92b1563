import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { processStat } from "../../system/process/signals.ts";
import type { Spec } from "../../types/runtime-spec.ts";
import type { RuntimeContext } from "../context.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { inBundle } from "../paths.ts";

/** What a bundle, conmon's files and the kernel tell of a container, whichever engine made it. */

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
export async function livingPid(bundle: string): Promise<number | undefined> {
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
export async function conmonOf(pid: number, bundle: string): Promise<number | undefined> {
  const parent = processStat(pid)?.parent ?? 0;
  const command = parent > 1 ? await textOf(`/proc/${parent}/cmdline`) : undefined;
  return command?.includes(`\0${bundle}\0`) ? parent : undefined;
}

/** The runtime that made a container: crun keeps a file `status` of it, runc a `state.json`. */
export async function runtimeOf(context: RuntimeContext, id: string): Promise<OciRuntime> {
  const standard = await context.runtimeNamed(undefined);
  const name = existsSync(join(context.paths.state, id, "state.json")) ? "runc" : "crun";
  return standard.name === name || name === "crun" ? standard : await context.runtimeNamed(name);
}
