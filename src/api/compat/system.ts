import type { DiskUsage } from "../../types/api.ts";
import type { SystemInfo } from "../../types/system.ts";

/** Facts about the engine, as the client's API version expects them. */
export function infoFor(info: SystemInfo, minor: number): SystemInfo {
  return minor < 50 ? { ...info, BridgeNfIptables: false, BridgeNfIp6tables: false } : info;
}

/** Disk usage, as the client's API version expects it: `BuilderSize` was told until 1.41, `VirtualSize` until 1.43. */
export function usageFor(usage: DiskUsage, minor: number): DiskUsage & { BuilderSize?: number } {
  if (minor >= 44) return usage;
  const BuilderSize = (usage.BuildCache ?? []).reduce(
    (sum, { Size, Shared }) => sum + (Shared ? 0 : Size),
    0,
  );
  return {
    ...usage,
    Images: usage.Images?.map((image) => ({ ...image, VirtualSize: image.Size })) ?? null,
    ...(minor < 42 ? { BuilderSize } : {}),
  };
}
