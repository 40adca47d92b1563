import { existsSync, readFileSync, writeFileSync } from "node:fs";

/**
 * A kernel setting of the namespace in which the calling thread is; a path below /proc/sys/net. Blocks shortly.
 * With `only`, it is changed only where it has that value.
 */
export function setSysctl(path: string, value: string, only?: string): void {
  const file = `/proc/sys/net/${path}`;
  // what is so already is not written: /proc/sys may be read-only (nested engines)
  const now = readFileSync(file, "utf8").trim();
  if (now !== value && (only === undefined || now === only)) writeFileSync(file, value);
}

export const hasIpv6 = (): boolean => existsSync("/proc/sys/net/ipv6");
