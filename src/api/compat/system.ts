import type { DiskUsage } from "../../types/api.ts";
import type { SystemInfo } from "../../types/system.ts";

/** Facts about the engine, as the client's API version expects them. */
export function infoFor(info: SystemInfo, minor: number): SystemInfo {
  return minor < 50 ? { ...info, BridgeNfIptables: false, BridgeNfIp6tables: false } : info;
}

/** Disk usage, as the client's API version expects it. */
export function usageFor(usage: DiskUsage, minor: number): DiskUsage {
  if (minor >= 44 || usage.Images === null) return usage;
  return { ...usage, Images: usage.Images.map((image) => ({ ...image, VirtualSize: image.Size })) };
}
