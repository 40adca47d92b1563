import { isIP } from "node:net";
import { inNetwork } from "./network.ts";

/** Loopback is insecure without being told, as with Docker. */
export const loopbackNetworks = ["::1/128", "127.0.0.0/8"];

/** Whether a registry (`host[:port]`) may be talked to without verified TLS, or without TLS at all. */
export function isInsecure(registry: string, configured: readonly string[]): boolean {
  const host = hostOf(registry);
  if (configured.some((each) => each === registry || each === host)) return true;
  const address = host === "localhost" ? "127.0.0.1" : host;
  if (isIP(address) === 0) return false;
  return [...loopbackNetworks, ...configured].some(
    (network) => network.includes("/") && inNetwork(address, network),
  );
}

/** The host without its port and brackets. */
export const hostOf = (registry: string): string =>
  registry
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
