import type { SystemInfo } from "../../types/system.ts";

/** Facts about the engine, as the client's API version expects them. */
export function infoFor(info: SystemInfo, minor: number): SystemInfo {
  return minor < 50 ? { ...info, BridgeNfIptables: false, BridgeNfIp6tables: false } : info;
}
