import { isIPv6 } from "node:net";
import type { PortRequest } from "../contract.ts";

type Protocol = PortRequest["protocol"];

/** Which host ports this engine has given out, so that a second asker is told before the kernel is asked. */
export class PortTable {
  private readonly held = new Map<string, Set<string>>();

  /** The address that already has this port in a way that excludes `ip`, or `undefined`. */
  holder(protocol: Protocol, ip: string, port: number): string | undefined {
    for (const held of this.held.get(`${protocol}/${port}`) ?? []) if (excludes(held, ip)) return held;
    return undefined;
  }

  hold(protocol: Protocol, ip: string, port: number): void {
    const key = `${protocol}/${port}`;
    const addresses = this.held.get(key) ?? new Set();
    this.held.set(key, addresses.add(ip));
  }

  release(protocol: Protocol, ip: string, port: number): void {
    const key = `${protocol}/${port}`;
    const addresses = this.held.get(key);
    addresses?.delete(ip);
    if (addresses?.size === 0) this.held.delete(key);
  }
}

/** Two addresses exclude each other when equal, or when one is "every address" of the other's family. */
function excludes(one: string, other: string): boolean {
  if (one === other) return true;
  if (isIPv6(one) !== isIPv6(other)) return false;
  const every = isIPv6(one) ? "::" : "0.0.0.0";
  return one === every || other === every;
}
