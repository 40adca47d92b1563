import { statfs } from "node:fs/promises";
import { messageOf } from "../../lib/errors.ts";
import type { BuildContextDeps } from "../deps.ts";
import { pruneCache } from "./prune.ts";
import { cacheUsage } from "./usage.ts";

/** Of the data root's file system, and at most. */
const share = 0.1;
const bytesMax = 20e9;

/**
 * Keeps the cache within its bounds: what images share costs nothing, the rest may take a tenth of the disk and 20 GB at
 * most; beyond that the least recently used goes. Runs when the last build has ended.
 */
export async function collectGarbage(deps: BuildContextDeps): Promise<void> {
  try {
    await measureMounts(deps);
    const { blocks, bsize } = await statfs(deps.config.dataRoot);
    const keepBytes = Math.min(bytesMax, blocks * bsize * share);
    const own = cacheUsage(deps).reduce((sum, { shared, size }) => sum + (shared ? 0 : size), 0);
    if (own > keepBytes) await pruneCache(deps, { all: false, keepBytes, filters: new Map() });
  } catch (error) {
    deps.logger.warn("the build cache could not be collected", { error: messageOf(error) });
  }
}

/** Steps write into cache mounts as they like: their sizes are looked up once nobody uses them. */
async function measureMounts({ cacheMounts, workers }: BuildContextDeps): Promise<void> {
  for (const { folder, size } of cacheMounts.all()) {
    if (cacheMounts.inUse(folder)) continue;
    const now = await workers.call("sizeOf", { path: cacheMounts.pathOf(folder) });
    if (now !== size) cacheMounts.setSize(folder, now);
  }
}
