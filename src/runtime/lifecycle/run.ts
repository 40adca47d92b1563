import { mkdir, writeFile } from "node:fs/promises";
import { signals } from "../../lib/container/signals.ts";
import { watchProcess } from "../../system/process/process.ts";
import type { RuntimeContext } from "../context.ts";
import type { StepEnd, StepProcess } from "../contract.ts";
import { createFailure } from "../oci-runtime/failure.ts";
import { commandOf, type OciRuntime, runtimeEnvironment } from "../oci-runtime/oci-runtime.ts";
import { complaintIn, log } from "../oci-runtime/runtime-log.ts";
import { inBundle, innerGroup } from "../paths.ts";
import { specJson } from "../spec/json.ts";
import { raised } from "./create.ts";
import { removeRemains } from "./delete.ts";

/** Runs a container in the foreground of the OCI runtime, whose child it is: no conmon, no log, no exit file. */
export async function runStep(context: RuntimeContext, step: StepProcess): Promise<StepEnd> {
  const { id, signal } = step;
  const { spec, prefix } = raised(step.spec);
  signal.throwIfAborted();
  const runtime = await context.runtimeNamed(undefined);
  const bundle = context.paths.bundle(id);
  await mkdir(bundle, { recursive: true, mode: 0o711 });
  // a group of its own around the runtime's, which still knows what was used when that one is gone
  const cgroup = spec.linux.cgroupsPath;
  const inner = { ...spec, linux: { ...spec.linux, cgroupsPath: `${cgroup}${innerGroup}` } };
  const kill = (): void => context.cgroups.signalAll(cgroup, signals.kill);
  try {
    const prepared = await context.seccomp.prepare(inner, runtime);
    await writeFile(inBundle.config(bundle), specJson(prepared), { mode: 0o600 });
    signal.addEventListener("abort", kill);
    const end = await foreground(context, runtime, bundle, { ...step, prefix });
    signal.throwIfAborted();
    return { ...end, ...(await usageOf(context, cgroup)) };
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
    await removeRemains(context, { id, bundle, cgroup, runtime });
  }
}

async function foreground(
  context: RuntimeContext,
  runtime: OciRuntime,
  bundle: string,
  { id, spec, output, signal, prefix }: StepProcess & { prefix: string[] },
): Promise<StepEnd> {
  const argv = [
    ...prefix,
    ...commandOf(runtime, context.paths.state),
    "--log",
    log(bundle),
    "run",
    "--bundle",
    bundle,
    id,
  ];
  // killed before it had a control group: nothing would have been there to signal
  const again = setInterval(() => {
    if (signal.aborted) context.cgroups.signalAll(spec.linux.cgroupsPath, signals.kill);
  }, 100);
  try {
    const said = withoutComplaint(bundle, output);
    const end = await watchProcess({ argv, env: runtimeEnvironment(), cwd: bundle, output: said });
    const complaint = end.exitCode === 0 ? "" : await complaintIn(bundle);
    if (complaint !== "" && !signal.aborted)
      throw createFailure(complaint, { command: spec.process.args[0] ?? "", cwd: spec.process.cwd });
    return end;
  } finally {
    clearInterval(again);
  }
}

/** How long the runtime's words may be in the pipe before they are in its log, ms. */
const complaintMs = [0, 2, 4];

/** The output without the runtime's own words, which it writes to its log as well: the failure tells them. */
function withoutComplaint(bundle: string, output: StepProcess["output"]): StepProcess["output"] {
  let isFirst = true;
  const afterFirst = async (bytes: Uint8Array): Promise<void> => {
    const text = Buffer.from(bytes).toString().trim();
    let complaint = "";
    for (const ms of complaintMs)
      if (complaint === "") {
        await Bun.sleep(ms);
        complaint = await complaintIn(bundle);
      }
    if (complaint === "" || !complaint.includes(text)) await output(2, bytes);
  };
  return (stream, bytes) => {
    const mayComplain = isFirst && stream === 2;
    isFirst = false;
    return mayComplain ? afterFirst(bytes) : output(stream, bytes);
  };
}

/** What a step's group has used; nothing where the kernel does not tell (version 2 before Linux 5.19). */
async function usageOf({ cgroups }: RuntimeContext, cgroup: string): Promise<Partial<StepEnd>> {
  const v2 = cgroups.layout === "v2";
  const [peak, cpu] = await Promise.all([
    cgroups.read("memory", cgroup, v2 ? "memory.peak" : "memory.max_usage_in_bytes"),
    v2 ? cgroups.read("cpu", cgroup, "cpu.stat") : cgroups.read("cpuacct", cgroup, "cpuacct.usage"),
  ]);
  const micros = v2 ? Number(/^usage_usec (\d+)/m.exec(cpu ?? "")?.[1]) : Number(cpu) / 1000;
  return {
    ...(peak === undefined || !/^\d+$/.test(peak) ? {} : { peakMemory: Number(peak) }),
    ...(Number.isFinite(micros) ? { cpuMs: micros / 1000 } : {}),
  };
}
