import { EngineError, isKind, wrap } from "../../lib/errors.ts";
import type { ResourcesInput } from "../../runtime/spec/input.ts";
import type { ContainerUpdateRequest, ContainerUpdateResponse, HostConfig } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import { readHostConfig } from "../create/body.ts";
import { discardUnsupported, validateResources } from "../create/resources.ts";
import { validateRestart } from "../create/validate.ts";

/**
 * `POST /containers/{id}/update`: new limits, for the running process and for those to come, and a new restart policy.
 * What the request does not name, or gives as 0, stays. Nothing is recorded unless the kernel took it.
 */
export async function update(
  ctx: Context,
  idOrName: string,
  body: ContainerUpdateRequest,
): Promise<ContainerUpdateResponse> {
  const read = readHostConfig(body, ".HostConfig");
  if (read.RestartPolicy.Name !== "") validateRestart(read);
  const warnings = validateResources(read, ctx.facts, "update");
  const asked = discardUnsupported(read, ctx.facts);
  const container = ctx.store.find(idOrName);
  await container.lock.run(async () => {
    try {
      await apply(ctx, container, asked);
    } catch (error) {
      throw wrap(`Cannot update container ${container.id}`, error);
    }
  });
  return { Warnings: warnings.length > 0 ? warnings : null };
}

async function apply(ctx: Context, container: Container, asked: HostConfig): Promise<void> {
  if (container.removing || ctx.store.get(container.id) !== container)
    throw new EngineError("conflict", 'container is marked for removal and cannot be "update"');
  const { hostConfig } = container.spec;
  refuseConflicts(hostConfig, asked);
  const changed = { ...hostConfig, ...changesOf(asked) };
  if (container.alive) await ctx.runtime.update(container.id, limitsOf(changed, asked)).catch(unlessEnded);
  const spec = container.spec;
  container.spec = { ...spec, hostConfig: changed };
  try {
    ctx.store.saveSpec(container);
  } catch (error) {
    container.spec = spec;
    throw error;
  }
  tell(ctx, container, "update");
}

/** Its process ended just now: the limits are for the next one. */
function unlessEnded(error: unknown): void {
  if (!isKind(error, "notFound")) throw error;
}

const conflict = (sentence: string): never => {
  throw new EngineError("conflict", sentence);
};

/** What may not be changed given what is set already. */
function refuseConflicts(now: HostConfig, asked: HostConfig): void {
  const both = (told: string, set: string): never =>
    conflict(`Conflicting options: ${told} cannot be updated as ${set} has already been set`);
  if (asked.NanoCpus > 0 && now.CpuPeriod > 0) both("Nano CPUs", "CPU Period");
  if (asked.NanoCpus > 0 && now.CpuQuota > 0) both("Nano CPUs", "CPU Quota");
  if (asked.CpuPeriod > 0 && now.NanoCpus > 0) both("CPU Period", "NanoCPUs");
  if (asked.CpuQuota > 0 && now.NanoCpus > 0) both("CPU Quota", "NanoCPUs");
  if (asked.Memory !== 0 && asked.Memory > now.MemorySwap && asked.MemorySwap === 0)
    conflict(
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    );
  const policy = asked.RestartPolicy.Name;
  if (now.AutoRemove && policy !== "" && policy !== "no")
    conflict("Restart policy cannot be updated because AutoRemove is enabled for the container");
}

const limits = [
  "BlkioWeight",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "CpuShares",
  "CpusetCpus",
  "CpusetMems",
  "Memory",
  "MemoryReservation",
  "MemorySwap",
  "NanoCpus",
] as const satisfies (keyof HostConfig)[];

function changesOf(asked: HostConfig): Partial<HostConfig> {
  const named = limits.filter((limit) => asked[limit] !== 0 && asked[limit] !== "");
  return {
    ...Object.fromEntries(named.map((limit) => [limit, asked[limit]])),
    ...(asked.PidsLimit === null ? {} : { PidsLimit: Math.max(0, asked.PidsLimit) }),
    ...(asked.RestartPolicy.Name === "" ? {} : { RestartPolicy: asked.RestartPolicy }),
  };
}

/** For the process that runs: what was asked, and of limits that come in pairs the other as it is. */
function limitsOf(changed: HostConfig, asked: HostConfig): ResourcesInput {
  const memory = asked.Memory !== 0 || asked.MemorySwap !== 0;
  const cpu = asked.CpuQuota !== 0 || asked.CpuPeriod !== 0;
  return {
    ...(memory ? { memory: changed.Memory, memorySwap: changed.MemorySwap } : {}),
    ...(cpu ? { cpuQuota: changed.CpuQuota, cpuPeriod: changed.CpuPeriod } : {}),
    memoryReservation: asked.MemoryReservation,
    nanoCpus: asked.NanoCpus,
    cpuShares: asked.CpuShares,
    cpusetCpus: asked.CpusetCpus,
    cpusetMems: asked.CpusetMems,
    blkioWeight: asked.BlkioWeight,
    ...(asked.PidsLimit === null ? {} : { pids: asked.PidsLimit }),
  };
}
