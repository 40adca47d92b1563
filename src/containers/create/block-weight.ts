import { existsSync } from "node:fs";
import type { HostConfig } from "../../types/api.ts";

/** Whether this kernel's I/O scheduler knows weights; it does on cgroup 2 with `io.weight`, on 1 with CFQ's or BFQ's. */
const weightFiles = {
  whole: ["blkio/blkio.weight", "blkio/blkio.bfq.weight", "system.slice/io.weight", "init.scope/io.weight"],
  device: ["blkio/blkio.weight_device", "blkio/blkio.bfq.weight_device", "init.scope/io.weight"],
} as const;

const has = (files: readonly string[]): boolean => files.some((file) => existsSync(`/sys/fs/cgroup/${file}`));

/** Takes weights out of a request where the kernel has none, and says so in Docker's words. */
export function discardWeights(
  host: HostConfig,
  kernel = { whole: () => has(weightFiles.whole), device: () => has(weightFiles.device) },
): { host: HostConfig; warnings: string[] } {
  const warnings: string[] = [];
  let kept = host;
  if (host.BlkioWeight > 0 && !kernel.whole()) {
    warnings.push(
      "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
    );
    kept = { ...kept, BlkioWeight: 0 };
  }
  if (host.BlkioWeightDevice?.length && !kernel.device()) {
    warnings.push(
      "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
    );
    kept = { ...kept, BlkioWeightDevice: [] };
  }
  return { host: kept, warnings };
}
