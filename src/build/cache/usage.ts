import type { CacheRecord } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";

/** What the cache holds: results of steps, whose layers images may share, and cache mounts. */
export function cacheUsage({
  cache,
  cacheMounts,
  snapshots,
  images,
  shared,
  leases,
}: BuildContextDeps): CacheRecord[] {
  const inImages = new Set(
    images
      .list({ all: true, filters: new Map(), sharedSize: false }, () => 0)
      .flatMap(({ Id }) => images.byId(Id)?.layers ?? []),
  );
  const held = leases.held("layer");
  const steps = cache.all().map((entry): CacheRecord => {
    return {
      id: idOf(entry.key),
      parents: entry.parents.map(idOf),
      type: "regular",
      description: entry.description,
      inUse: held.has(entry.layer) || shared.has(entry.key),
      shared: inImages.has(entry.layer),
      size: snapshots.layer(entry.layer)?.size ?? 0,
      createdAt: Date.parse(entry.created),
      lastUsedAt: entry.usedAt,
      usageCount: entry.uses,
    };
  });
  const mounts = cacheMounts.all().map((mount): CacheRecord => {
    return {
      id: mount.folder,
      parents: [],
      type: "exec.cachemount",
      description: mount.description,
      inUse: cacheMounts.inUse(mount.folder),
      shared: false,
      size: mount.size,
      createdAt: mount.createdAt,
      lastUsedAt: mount.usedAt,
      usageCount: mount.uses,
    };
  });
  return [...steps, ...mounts];
}

/** Ids as BuildKit's: 25 characters. */
export const idOf = (key: string): string => key.replace(/^sha256:/, "").slice(0, 25);
