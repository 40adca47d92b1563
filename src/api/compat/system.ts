import type { DiskUsage } from "../../types/api.ts";
import type { SystemInfo } from "../../types/system.ts";

/** Facts about the engine, as the client's API version expects them: what came later is left out, what has gone is told. */
export function infoFor(info: SystemInfo, minor: number): Record<string, unknown> {
  const told: Record<string, unknown> = { ...info };
  if (minor < 50) {
    Object.assign(told, { BridgeNfIptables: false, BridgeNfIp6tables: false });
    delete told["DiscoveredDevices"];
  }
  if (minor < 49) {
    delete told["FirewallBackend"];
    for (const key of ["ContainerdCommit", "RuncCommit", "InitCommit"] as const)
      told[key] = { ...info[key], Expected: info[key].ID };
  }
  if (minor < 47)
    told["RegistryConfig"] = {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      ...info.RegistryConfig,
    };
  if (minor < 46) delete told["Containerd"];
  if (minor < 42) told["KernelMemory"] = info.MemoryLimit;
  if (minor < 25)
    told["SecurityOptions"] = info.SecurityOptions.map(
      (option) => /^name=([^,]*)/.exec(option)?.[1] ?? option,
    );
  return told;
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
