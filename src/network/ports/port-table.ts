import { isIPv6 } from "node:net";
import type { PortRequest } from "../contract.ts";

/** A container's name, as it is when asked: containers are renamed. */
type Owner = () => string;

/** Ports at one address of the host, one after another. */
export interface Span {
  protocol: PortRequest["protocol"];
  ip: string;
  first: number;
  last: number;
}

interface Holder {
  ip: string;
  port: number;
  owner: Owner;
}

/** Which host ports this engine has given out, so that a second asker is told before the kernel is asked. */
export class PortTable {
  /** single ports, by "tcp/80" and address */
  private readonly ones = new Map<string, Map<string, Holder>>();
  /** spans of several */
  private readonly runs = new Map<string, Span & { owner: Owner }>();

  /** Who already has one of these ports in a way that excludes the address: of several the lowest; or `undefined`. */
  holder(span: Span): Holder | undefined {
    let lowest: Holder | undefined;
    const found = (holder: Holder): void => {
      if (excludes(holder.ip, span.ip) && holder.port < (lowest?.port ?? 65536)) lowest = holder;
    };
    for (const holder of this.onesIn(span)) found(holder);
    for (const { protocol, ip, first, last, owner } of this.runs.values())
      if (protocol === span.protocol && first <= span.last && span.first <= last)
        found({ ip, port: Math.max(first, span.first), owner });
    return lowest;
  }

  hold(span: Span, owner: Owner): void {
    if (span.first < span.last) {
      this.runs.set(nameOf(span), { ...span, owner });
      return;
    }
    const key = `${span.protocol}/${span.first}`;
    const addresses = this.ones.get(key) ?? new Map<string, Holder>();
    this.ones.set(key, addresses.set(span.ip, { ip: span.ip, port: span.first, owner }));
  }

  /** What `hold` was told, by the same bounds. */
  release(span: Span): void {
    if (span.first < span.last) {
      this.runs.delete(nameOf(span));
      return;
    }
    const key = `${span.protocol}/${span.first}`;
    const addresses = this.ones.get(key);
    addresses?.delete(span.ip);
    if (addresses?.size === 0) this.ones.delete(key);
  }

  private *onesIn({ protocol, first, last }: Span): Generator<Holder> {
    if (first === last) return yield* this.ones.get(`${protocol}/${first}`)?.values() ?? [];
    for (const [key, addresses] of this.ones) {
      if (!key.startsWith(`${protocol}/`)) continue;
      for (const holder of addresses.values()) if (holder.port >= first && holder.port <= last) yield holder;
    }
  }
}

const nameOf = ({ protocol, ip, first, last }: Span): string => `${protocol} ${ip} ${first}-${last}`;

/** Two addresses exclude each other when equal, or when one is "every address" of the other's family. */
export function excludes(one: string, other: string): boolean {
  if (one === other) return true;
  if (isIPv6(one) !== isIPv6(other)) return false;
  const every = isIPv6(one) ? "::" : "0.0.0.0";
  return one === every || other === every;
}
