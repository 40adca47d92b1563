import { EngineError, messageOf } from "../../lib/errors.ts";
import type { CgroupTree } from "../../system/cgroup/cgroup.ts";
import type { RuntimeContext } from "../context.ts";
import type { ResourcesInput } from "../spec/input.ts";
import { type LimitWrite, limitWrites } from "./limits.ts";

/**
 * New limits for a running container, written to its cgroup: crun's own `update` (1.8) cannot take a limit of processes
 * or a quota away again, and needs a process. On failure what was written is written back.
 */
export async function updateLimits(
  { containers, cgroups }: RuntimeContext,
  id: string,
  limits: ResourcesInput,
): Promise<void> {
  const { cgroup } = containers.get(id);
  await writeLimits(cgroups, cgroup, limitWrites(cgroups.layout, limits));
}

export async function writeLimits(
  cgroups: CgroupTree,
  group: string,
  wanted: readonly LimitWrite[],
): Promise<void> {
  const writes = wanted.map((write) => existing(cgroups, group, write));
  const before = await Promise.all(
    writes.map(async (write) => ({
      ...write,
      value: await cgroups.read(write.controller, group, write.file),
    })),
  );
  try {
    await writeAll(cgroups, group, writes);
  } catch (error) {
    const old = before.flatMap(({ value, ...write }) => (value === undefined ? [] : [{ ...write, value }]));
    await writeAll(cgroups, group, old).catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}

function existing(cgroups: CgroupTree, group: string, write: LimitWrite): LimitWrite {
  const { controller, file, instead } = write;
  return instead && !cgroups.has(controller, group, file) ? { controller, ...instead } : write;
}

/**
 * Limits that depend on each other (memory and memory with swap, quota and period) are refused in the wrong order, which
 * is the right one when they are lowered; so what is refused is tried once more after the rest.
 */
async function writeAll(cgroups: CgroupTree, group: string, writes: readonly LimitWrite[]): Promise<void> {
  const refused: LimitWrite[] = [];
  for (const write of writes) {
    try {
      await cgroups.write(write.controller, group, write.file, write.value);
    } catch (error) {
      if (!["EINVAL", "EBUSY"].includes(codeOf(error))) throw failure(write, error);
      refused.push(write);
    }
  }
  for (const write of refused) {
    try {
      await cgroups.write(write.controller, group, write.file, write.value);
    } catch (error) {
      throw failure(write, error);
    }
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);

const reasons: Readonly<Record<string, string>> = {
  EBUSY: "device or resource busy",
  EINVAL: "invalid argument",
  ENOENT: "the kernel has no such limit",
};

function failure({ file, value }: LimitWrite, error: unknown): EngineError {
  const reason = reasons[codeOf(error)] ?? messageOf(error);
  const hint =
    codeOf(error) === "EBUSY" && file.startsWith("memory.") ? ": the container uses more memory" : "";
  return new EngineError("internal", `cannot set ${file} to ${value}: ${reason}${hint}`, { cause: error });
}
