import type { Builds } from "../../build/contract.ts";
import type { ContainerSummary, ImageSummary, Volume } from "../../types/api.ts";
import { isOwnStorage, type PruneParts } from "../prune/prune.ts";

export type UsageKind = "container" | "image" | "volume" | "build-cache";
export const usageKinds: readonly UsageKind[] = ["container", "image", "volume", "build-cache"];

/** `GET /system/df`: what was not asked for is null. */
export interface DiskUsage {
  LayersSize: number;
  Images: UsedImage[] | null;
  Containers: ContainerSummary[] | null;
  Volumes: Volume[] | null;
  BuildCache: BuildCacheItem[] | null;
}

/** Docker tells no list of digests here where there is none to tell, unlike in its list of images. */
type UsedImage = Omit<ImageSummary, "RepoDigests"> & { RepoDigests: string[] | null };

/** One record of the build cache, as the API tells it. */
interface BuildCacheItem {
  ID: string;
  Parents?: string[];
  Type: string;
  Description: string;
  InUse: boolean;
  Shared: boolean;
  Size: number;
  CreatedAt: string;
  LastUsedAt: string | null;
  UsageCount: number;
}

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

async function volumeUsage({ volumes, containers }: PruneParts): Promise<Volume[]> {
  const told: Volume[] = [];
  for (const volume of (await volumes.list()).volumes.filter(isOwnStorage)) {
    const RefCount = containers.usersOfVolume(volume.Name).length;
    told.push({ ...volume, UsageData: { RefCount, Size: await volumes.size(volume.Name) } });
  }
  return told;
}

const buildCacheItems = (builds: Builds): BuildCacheItem[] =>
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
