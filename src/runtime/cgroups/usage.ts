import { readFile } from "node:fs/promises";
import type { RuntimeContext } from "../context.ts";
import type { ResourceUsage } from "../contract.ts";
import { hostMemory } from "./fields.ts";
import { usageV1 } from "./usage-v1.ts";
import { usageV2 } from "./usage-v2.ts";

let hostBytes: Promise<bigint> | undefined;

/** A container's usage, from its cgroup's files. */
export async function readUsage({ containers, cgroups }: RuntimeContext, id: string): Promise<ResourceUsage> {
  const { cgroup } = containers.get(id);
  hostBytes ??= readFile("/proc/meminfo", "latin1").then(hostMemory);
  const read = cgroups.layout === "v2" ? usageV2 : usageV1;
  return read(cgroups, cgroup, await hostBytes);
}
