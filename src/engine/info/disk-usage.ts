import type { Builds } from "../../build/contract.ts";
import { isKind } from "../../lib/errors.ts";
import type { BuildCacheRecord, DiskUsage, ImageSummary, UsedImage, Volume } from "../../types/api.ts";
import { isOwnStorage, type PruneParts } from "../prune/prune.ts";

export type UsageKind = "container" | "image" | "volume" | "build-cache";
export const usageKinds: readonly UsageKind[] = ["container", "image", "volume", "build-cache"];

export async function diskUsage(
  parts: PruneParts & { builds: Builds },
  kinds: ReadonlySet<UsageKind>,
): Promise<DiskUsage> {
  const { containers, images, snapshots, builds } = parts;
  const asked = (kind: UsageKind): boolean => kinds.size === 0 || kinds.has(kind);
  const everyImage = { all: true, filters: new Map<string, string[]>(), sharedSize: true };
  return {
    LayersSize: asked("image") ? snapshots.layers().reduce((sum, { size }) => sum + size, 0) : 0,
    Images: asked("image")
      ? images.list(everyImage, (id) => containers.usersOfImage(id).length).map(withoutEmptyDigests)
      : null,
    Containers: asked("container")
      ? await containers.list({ all: true, size: true, filters: new Map() })
      : null,
    Volumes: asked("volume") ? await volumeUsage(parts) : null,
    BuildCache: asked("build-cache") ? buildCacheItems(builds) : null,
  };
}

const withoutEmptyDigests = (image: ImageSummary): UsedImage =>
  image.RepoDigests.length === 0 ? { ...image, RepoDigests: null } : image;

/** What was removed after it was listed is left out. */
function unlessGone(error: unknown): undefined {
  if (!isKind(error, "notFound")) throw error;
}

async function volumeUsage({ volumes, containers }: PruneParts): Promise<Volume[]> {
  const told: Volume[] = [];
  for (const volume of (await volumes.list()).volumes.filter(isOwnStorage)) {
    const RefCount = containers.usersOfVolume(volume.Name).length;
    const Size = await volumes.size(volume.Name).catch(unlessGone);
    if (Size !== undefined) told.push({ ...volume, UsageData: { RefCount, Size } });
  }
  return told;
}

const buildCacheItems = (builds: Builds): BuildCacheRecord[] =>
  builds.cacheUsage().map((record) => ({
    ID: record.id,
    ...(record.parents.length > 0 ? { Parents: record.parents } : {}),
    Type: record.type,
    Description: record.description,
    InUse: record.inUse,
    Shared: record.shared,
    Size: record.size,
    CreatedAt: new Date(record.createdAt).toISOString(),
    LastUsedAt: record.lastUsedAt === undefined ? null : new Date(record.lastUsedAt).toISOString(),
    UsageCount: record.usageCount,
  }));
