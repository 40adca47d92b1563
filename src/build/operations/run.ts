import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { Undo } from "../../lib/undo.ts";
import { mappedRoot } from "../../lib/users/id-map.ts";
import type { StepEnd } from "../../runtime/contract.ts";
import { StartFailure } from "../../runtime/oci-runtime/failure.ts";
import { refuseProcTargets } from "../../runtime/spec/proc-targets.ts";
import { UnplacedError } from "../failure.ts";
import type { RunOperation } from "../graph/operation.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Session } from "../solver/session.ts";
import type { RunStep, StepResult } from "../solver/shared-steps.ts";
import { asStepFailure, StepFailure } from "../solver/step-failure.ts";
import { checkEmulator } from "./emulators.ts";
import { keepFailed } from "./keep-failed.ts";
import { commitLayer } from "./layer.ts";
import { type ReadyMount, readyMounts } from "./mounts/mount-keys.ts";
import { prepareMounts } from "./mounts/run-mounts.ts";
import { makeStubs } from "./mounts/stubs.ts";
import { askedHostname, writeNameFiles } from "./name-files.ts";
import { baseParts, type Outcome, type Plan, type ResultOf } from "./plan.ts";
import { runSpec } from "./run-spec.ts";

/** What reaches beyond a container must have been allowed by whoever asked for the build, not by its Dockerfile. */
function refuseUnallowed({ request }: Session, { insecure, network }: RunOperation): void {
  const asked = [
    ...(insecure ? ["security.insecure"] : []),
    ...(network === "host" && request.networkMode !== "host" ? ["network.host"] : []),
  ];
  for (const entitlement of asked)
    if (!request.allow.has(entitlement))
      throw new UnplacedError(
        "forbidden",
        `${request.classic ? "" : "failed to load LLB: "}${entitlement} is not allowed`,
      );
}

/** What cannot be had from a user namespace: Docker's sentences. */
function refuseRemapped({ insecure }: RunOperation, network: string): void {
  if (insecure) throw new EngineError("invalid", "privileged mode is incompatible with user namespaces");
  if (network === "host")
    throw new EngineError(
      "invalid",
      "cannot share the host's network namespace when user namespaces are enabled",
    );
}

/** No program can be given a NUL: what stands behind it would be lost on the way. */
function refuseNul({ args, env, cwd }: RunOperation): void {
  if ([...args, ...env, cwd].some((text) => text.includes("\0"))) throw new StepFailure(args, 255);
}

/** RUN: a process in a container of its own over the base; what it writes becomes the layer. */
export async function planRun(
  session: Session,
  vertex: Vertex,
  operation: RunOperation,
  resultOf: ResultOf,
): Promise<Plan> {
  refuseUnallowed(session, operation);
  refuseNul(operation);
  const base = resultOf(operation.base);
  const mounts = await readyMounts(session, operation.mounts, resultOf);
  return {
    kind: "run",
    parts: partsOf(session, vertex, operation, { base, mounts }),
    family: `run ${JSON.stringify(operation.args)}`,
    files: mounts.flatMap(({ list }) => (list === undefined ? [] : [list])),
    run: (output, signal) => run(session, vertex, operation, { base, mounts, output, signal }),
  };
}

function partsOf(
  { request }: Session,
  { sourceDateEpoch }: Vertex,
  operation: RunOperation,
  { base, mounts }: { base: Outcome; mounts: readonly ReadyMount[] },
): Record<string, string> {
  const { args, env, cwd, user, network, insecure, files, platform } = operation;
  const parts: Record<string, string> = {
    ...baseParts(base),
    command: JSON.stringify(args),
    "working folder": cwd,
    user,
    platform,
    network: network === "default" ? request.networkMode : network,
  };
  if (insecure) parts["security"] = "insecure";
  for (const assignment of env) {
    const at = assignment.indexOf("=");
    parts[`env.${assignment.slice(0, at)}`] = assignment.slice(at + 1);
  }
  for (const { key, part } of mounts) parts[`mount:${key}`] = part;
  for (const { path, content } of files) parts[`here document ${path}`] = sha256(content);
  const hostname = askedHostname(request);
  if (hostname !== undefined) parts["host name"] = hostname;
  const { ulimits, shmSize, cgroupParent } = request.resources;
  if (ulimits.length > 0) parts["limits"] = JSON.stringify(ulimits);
  if (shmSize !== undefined) parts["shared memory"] = String(shmSize);
  if (cgroupParent !== undefined) parts["control group"] = cgroupParent;
  if (request.extraHosts.length > 0) parts["extra hosts"] = JSON.stringify(request.extraHosts);
  if (sourceDateEpoch !== undefined) parts["epoch"] = String(sourceDateEpoch);
  return parts;
}

/** What BuildKit's runtime prints where there is no process to print anything. */
const notStarted = ({ reason }: StartFailure): Buffer =>
  Buffer.from(`runc run failed: ${reason.replace(/(: is a directory): permission denied$/, "$1")}\n`);

interface Running {
  base: Outcome;
  mounts: readonly ReadyMount[];
  output: Parameters<RunStep>[0];
  signal: AbortSignal;
}

async function run(
  session: Session,
  { sourceDateEpoch, ignoreCache }: Vertex,
  operation: RunOperation,
  running: Running,
): Promise<StepResult> {
  const { deps } = session;
  const id = newId();
  const key = `build-${id.slice(0, 24)}`;
  const warning = await checkEmulator(operation.platform);
  if (warning !== undefined) await running.output(2, Buffer.from(`WARNING: ${warning}\n`));
  deps.runtime.expectProcess();
  await session.imports.bring(running.base.layers);
  await deps.snapshots.prepare(key, running.base.layers);
  try {
    const { cpuMs, peakMemory } = await execute(session, operation, running, { id, key, ignoreCache }).catch(
      async (error: unknown) => {
        if (session.request.classic) throw error;
        if (error instanceof StartFailure) await running.output(2, notStarted(error));
        throw asStepFailure(operation.args, error);
      },
    );
    const { layer, created, bytes } = await commitLayer(session, key, sourceDateEpoch);
    return { layer, created, usage: { cpuMs, peakMemory, bytesAdded: bytes } };
  } catch (error) {
    if (error instanceof StepFailure && session.request.keepsFailed)
      error.kept = await keepFailed(session, key, operation, running.base);
    await deps.snapshots.remove(key);
    throw error;
  }
}

/** Runs the process; all that was made for it but what it wrote is gone when this settles. */
async function execute(
  session: Session,
  operation: RunOperation,
  { mounts, output, signal }: Running,
  { id, key, ignoreCache }: { id: string; key: string; ignoreCache: boolean },
): Promise<StepEnd> {
  const { deps } = session;
  const undo = new Undo();
  const folder = join(deps.paths.steps, id);
  try {
    undo.add("step's folder", () => rm(folder, { recursive: true, force: true }));
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const mode = operation.network === "default" ? session.request.networkMode : operation.network;
    if (deps.config.remap !== undefined) refuseRemapped(operation, mode);
    const networking = session.sandboxes.acquire(mode);
    // it is awaited below, but may fail before that
    networking.catch(() => undefined);
    const { remap } = deps.config;
    const root = await deps.snapshots.mount(key, {
      volatile: true,
      step: true,
      remapped: remap !== undefined,
    });
    const around = { session, root, folder, ignoreCache, signal, undo };
    const names = await writeNameFiles(session, folder, mode === "host");
    const extra = await prepareMounts(around, mounts, operation);
    const network = await networking;
    undo.add("network", () => network.release(operation.insecure));
    const all = [...names, ...extra.mounts];
    refuseProcTargets(root, all);
    const stubs = makeStubs(root, all, remap && mappedRoot(remap));
    undo.add("mount points", () => stubs.remove());
    const spec = runSpec(session, operation, {
      id,
      root,
      mounts: all,
      env: extra.env,
      netnsPath: network.netnsPath,
      userns: network.userns,
    });
    const end = await deps.runtime.run({ id, spec, output, signal });
    if (end.exitCode !== 0) throw new StepFailure(operation.args, end.exitCode);
    return end;
  } finally {
    await undo.run((sentence) => deps.logger.warn(sentence, { build: session.ref }));
  }
}
