import { contains, type Ip, type Subnet, sizeOf } from "./ip.ts";

interface PoolOptions {
  subnet: Subnet;
  /** the part of the subnet from which addresses are chosen; one asked for may lie outside of it */
  range?: Subnet;
  /** gateway, auxiliary addresses, and those that endpoints have */
  used: Iterable<bigint>;
}

/**
 * Addresses of one subnet: `take` gives the lowest free one, as Docker does. The first (the network's, in IPv6 the
 * routers' anycast) and IPv4's last (broadcast) are never given out. Kept in memory; the `endpoints` rows are the record.
 */
export class AddressPool {
  readonly subnet: Subnet;
  private readonly used: Set<bigint>;
  private readonly first: bigint;
  private readonly last: bigint;
  /** no address of the range below it is free */
  private lowest: bigint;

  constructor({ subnet, range = subnet, used }: PoolOptions) {
    this.subnet = subnet;
    let [first, last] = usable(subnet);
    const rangeEnd = range.base + sizeOf(range) - 1n;
    if (range.base > first) first = range.base;
    if (rangeEnd < last) last = rangeEnd;
    this.first = first;
    this.last = last;
    this.lowest = this.first;
    this.used = new Set(used);
  }

  /** The lowest free address, or `undefined` when none is left. */
  take(): Ip | undefined {
    while (this.lowest <= this.last && this.used.has(this.lowest)) this.lowest++;
    if (this.lowest > this.last) return undefined;
    const value = this.lowest++;
    this.used.add(value);
    return { family: this.subnet.family, value };
  }

  /** Takes this very address; false when it is taken, not of this subnet, or the network's or broadcast address. */
  reserve(ip: Ip): boolean {
    if (!contains(this.subnet, ip) || this.used.has(ip.value)) return false;
    const [first, last] = usable(this.subnet);
    if (ip.value < first || ip.value > last) return false;
    this.used.add(ip.value);
    return true;
  }

  release({ value }: Ip): void {
    if (this.used.delete(value) && value >= this.first && value < this.lowest) this.lowest = value;
  }
}

/** Both ends of what a subnet can give. /31 and /127 have no network and broadcast address (RFC 3021, RFC 6164). */
function usable(subnet: Subnet): [bigint, bigint] {
  const size = sizeOf(subnet);
  if (size <= 2n) return [subnet.base, subnet.base + size - 1n];
  return [subnet.base + 1n, subnet.base + size - (subnet.family === 4 ? 2n : 1n)];
}
