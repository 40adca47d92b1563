import type { CachePruneOptions } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import { sweepLists } from "../sweep.ts";
import { cacheUsage, idOf } from "./usage.ts";

/**
 * Deletes what no running build holds, least recently used first: what is dangling, or with `all` everything, until the
 * cache is down to `keepBytes`.
 */
export async function pruneCache(
  deps: BuildContextDeps,
  { all, keepBytes, unusedForMs, filters }: CachePruneOptions,
): Promise<{ deleted: string[]; bytes: number }> {
  const records = cacheUsage(deps).sort((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0));
  let total = records.reduce((sum, { size }) => sum + size, 0);
  const ids = filters.get("id");
  const types = filters.get("type");
  const latest = unusedForMs === undefined ? Number.POSITIVE_INFINITY : Date.now() - unusedForMs;
  const deleted: string[] = [];
  let bytes = 0;
  for (const record of records) {
    if (keepBytes !== undefined && total <= keepBytes) break;
    if (record.inUse || (record.lastUsedAt ?? 0) > latest) continue;
    if (ids && !ids.includes(record.id)) continue;
    if (types && !types.includes(record.type)) continue;
    if (!all && record.shared) continue;
    deleted.push(record.id);
    bytes += record.shared ? 0 : record.size;
    total -= record.size;
  }
  await remove(deps, new Set(deleted));
  return { deleted, bytes };
}

async function remove(deps: BuildContextDeps, ids: ReadonlySet<string>): Promise<void> {
  const { cache, cacheMounts, images, workers } = deps;
  cache.remove(cache.all().flatMap(({ key }) => (ids.has(idOf(key)) ? [key] : [])));
  for (const { folder } of cacheMounts.all())
    if (ids.has(folder) && !cacheMounts.inUse(folder)) {
      cacheMounts.forget(folder);
      await workers.call("removeTree", { path: cacheMounts.pathOf(folder) });
    }
  await sweepLists(deps.paths.lists, cache.lists());
  await images.collect(new Set());
}
