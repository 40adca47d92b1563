import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { signals } from "../../lib/container/signals.ts";
import { EngineError } from "../../lib/errors.ts";
import { runCommand } from "../../system/process/process.ts";
import { signalPid } from "../../system/process/signals.ts";
import type { RuntimeContext } from "../context.ts";
import { commandOf, type OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { cgroupOf, runtimeOf } from "./recorded.ts";
import { removeFolder } from "./remove-folder.ts";

interface Remains {
  id: string;
  bundle: string;
  /** undefined = not known: only the runtime can tell */
  cgroup: string | undefined;
  runtime: OciRuntime;
}

const conmonGraceMs = 5000;
const drainLimitMs = 2000;

/** Ends what still runs, then removes every trace. A success for what is already gone. */
export async function deleteContainer(context: RuntimeContext, id: string): Promise<void> {
  const running = context.containers.find(id);
  const bundle = running?.bundle ?? context.paths.bundle(id);
  const cgroup = running?.cgroup ?? (await cgroupOf(bundle));
  if (running) await endProcess(context, id, running.conmonPid, running.cgroup);
  // what conmon has sent and nobody has read yet would be lost with the connection
  await running?.streams.drained(drainLimitMs);
  await running?.streams.close();
  context.exits.forget(id);
  context.containers.remove(id);
  await removeRemains(context, {
    id,
    bundle,
    cgroup,
    runtime: running?.runtime ?? (await runtimeOf(context, id)),
  });
}

async function endProcess(
  context: RuntimeContext,
  id: string,
  conmonPid: number,
  cgroup: string,
): Promise<void> {
  if (context.cgroups.pids(cgroup).length === 0) return;
  if (context.cgroups.isFrozen(cgroup)) await context.cgroups.freeze(cgroup, false);
  context.cgroups.signalAll(cgroup, signals.kill);
  const told = await Promise.race([
    context.exits.ended(id).then(() => true),
    Bun.sleep(conmonGraceMs).then(() => false),
  ]);
  if (!told) signalPid(conmonPid, signals.kill);
}

export async function removeRemains(
  context: RuntimeContext,
  { id, bundle, cgroup, runtime }: Remains,
): Promise<void> {
  if (cgroup !== undefined) await removeCgroup(context, id, cgroup);
  const state = join(context.paths.state, id);
  if (runtime.name === "crun" && cgroup !== undefined)
    await removeFolder(state); // all that `crun delete` does besides
  else if (runtime.name !== "crun" || existsSync(state)) await runtimeDelete(context, id, runtime); // else it never ran
  await Promise.all([removeFolder(bundle), rm(context.paths.exitFile(id), { force: true })]);
}

async function runtimeDelete(context: RuntimeContext, id: string, runtime: OciRuntime): Promise<void> {
  const argv = [...commandOf(runtime, context.paths.state), "delete", "--force", id];
  const { exitCode, stderr } = await runCommand(argv);
  if (exitCode !== 0) context.logger.warn("runtime delete", { container: id, error: stderr.trim() });
}

/** A group can be removed once the kernel has let go of its last process: mostly at once, under load a moment later. */
async function removeCgroup(context: RuntimeContext, id: string, cgroup: string): Promise<void> {
  for (let waitMs = 1; waitMs < 2000; waitMs *= 2) {
    if (context.cgroups.remove(cgroup)) return;
    context.cgroups.signalAll(cgroup, signals.kill);
    await Bun.sleep(waitMs);
  }
  throw new EngineError(
    "internal",
    `delete container ${id}: its control group ${cgroup} still holds processes`,
  );
}
