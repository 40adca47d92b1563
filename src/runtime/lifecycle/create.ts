import { mkdir, rm, writeFile } from "node:fs/promises";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Spec } from "../../types/runtime-spec.ts";
import { createArguments, keepsStdin } from "../conmon/arguments.ts";
import { Monitor } from "../conmon/monitor.ts";
import { raiseLimits } from "../conmon/raised-limits.ts";
import type { RuntimeContext } from "../context.ts";
import type { ContainerProcess } from "../contract.ts";
import { createFailure } from "../oci-runtime/failure.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { inBundle } from "../paths.ts";
import { specJson } from "../spec/json.ts";
import { removeRemains } from "./delete.ts";
import { watchContainer } from "./watch.ts";

/** Makes the container under a conmon of its own; its first process waits for `start`. On failure nothing is left. */
export async function createContainer(context: RuntimeContext, container: ContainerProcess): Promise<number> {
  const { id, bundle } = container;
  if (context.containers.find(id)) throw new EngineError("conflict", `container ${id} has a process already`);
  const runtime = await context.runtimeNamed(container.runtime);
  const { spec, prefix } = raised(container.spec);
  const prepared = await context.seccomp.prepare(spec, runtime);
  await mkdir(bundle, { recursive: true, mode: 0o711 });
  const launch = await context.launcher.open(id, {
    spec: prepared,
    runtime,
    ownFiles: container.ownFiles ?? [],
  });
  try {
    await Promise.all([
      writeFile(inBundle.config(bundle), specJson(launch.spec), { mode: 0o600 }),
      rm(inBundle.exit(bundle), { force: true }), // of an earlier run
      rm(inBundle.oom(bundle), { force: true }),
      rm(inBundle.pid(bundle), { force: true }),
    ]);
    const argv = [...prefix, ...createArguments({ ...context, runtime }, container)];
    const monitor = await Monitor.spawn(argv, { cwd: bundle, hold: false, enter: launch.enter });
    const pid = await createdPid(monitor, container).catch(async (error: unknown) => {
      launch.release();
      await removeRemains(context, { id, bundle, cgroup: spec.linux.cgroupsPath, runtime });
      throw error;
    });
    register(context, container, { pid, runtime, monitor });
    return pid;
  } finally {
    launch.release();
  }
}

/** See `raiseLimits`; where there is no user namespace the runtime does all of it. */
export function raised(spec: Spec): { spec: Spec; prefix: string[] } {
  if (!spec.linux.namespaces.some(({ type }) => type === "user")) return { spec, prefix: [] };
  const { process, prefix } = raiseLimits(spec.process);
  return { spec: { ...spec, process }, prefix };
}

async function createdPid(monitor: Monitor, { id, spec }: ContainerProcess): Promise<number> {
  const message = await monitor.next();
  monitor.letGo();
  if (message && message.data > 0) return message.data;
  const exitCode = await monitor.process.exited;
  const attempt = { command: spec.process.args[0] ?? "", cwd: spec.process.cwd };
  if (message?.message) throw createFailure(message.message, attempt);
  const why = monitor.complaint || `it ended with ${exitCode}`;
  throw new EngineError("internal", `create container ${id}: conmon did not make it: ${why}`);
}

function register(
  context: RuntimeContext,
  container: ContainerProcess,
  { pid, runtime, monitor }: { pid: number; runtime: OciRuntime; monitor: Monitor },
): void {
  const { id } = container; // the container's whole spec would else be held until it ends
  watchContainer(context, {
    id,
    bundle: container.bundle,
    terminal: container.terminal,
    stdin: container.stdin,
    keepsStdin: keepsStdin(container),
    pid,
    conmonPid: monitor.process.pid,
    cgroup: container.spec.linux.cgroupsPath,
    runtime,
  });
  monitor.process.exited
    .then(() => context.exits.monitorGone(id))
    .catch((error: unknown) => context.logger.error("cannot tell an exit", { error: messageOf(error) }));
}
