import { isIPv6 } from "node:net";
import type { PortRequest } from "../contract.ts";

type Protocol = PortRequest["protocol"];

/** A container's name, as it is when asked: containers are renamed. */
type Owner = () => string;

/** Which host ports this engine has given out, so that a second asker is told before the kernel is asked. */
export class PortTable {
  private readonly held = new Map<string, Map<string, Owner>>();

  /** Who already has this port in a way that excludes `ip`, and at which address; or `undefined`. */
  holder(protocol: Protocol, ip: string, port: number): { ip: string; owner: Owner } | undefined {
    for (const [held, owner] of this.held.get(`${protocol}/${port}`) ?? [])
      if (excludes(held, ip)) return { ip: held, owner };
    return undefined;
  }

  hold(protocol: Protocol, ip: string, port: number, owner: Owner): void {
    const key = `${protocol}/${port}`;
    const addresses = this.held.get(key) ?? new Map<string, Owner>();
    this.held.set(key, addresses.set(ip, owner));
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
