import { existsSync, readFileSync } from "node:fs";

/** net.ipv4.ip_local_port_range: where the kernel, and so Docker, takes free ports from. */
export function localPortRange(file = "/proc/sys/net/ipv4/ip_local_port_range"): {
  first: number;
  last: number;
} {
  const [first = 32768, last = 60999] = readFileSync(file, "utf8").trim().split(/\s+/).map(Number);
  return { first, last };
}

export const hostHasIpv6 = (): boolean => existsSync("/proc/net/if_inet6");
