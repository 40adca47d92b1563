import { contains, type Subnet, sizeOf } from "./ipv4.ts";

/**
 * Addresses of one subnet: `take` gives the lowest free one, as Docker does. The first (the network's), the last
 * (broadcast) and the gateway are never given out. Kept in memory; the `endpoints` rows are the record.
 */
export class AddressPool {
  readonly subnet: Subnet;
  private readonly used: Set<number>;
  private readonly last: number;
  /** no address below it is free */
  private lowest: number;

  constructor(subnet: Subnet, gateway: number, used: Iterable<number> = []) {
    this.subnet = subnet;
    const whole = subnet.prefix >= 31; // RFC 3021: no network and broadcast address
    this.lowest = subnet.base + (whole ? 0 : 1);
    this.last = subnet.base + sizeOf(subnet) - (whole ? 1 : 2);
    this.used = new Set([gateway, ...used]);
  }

  /** The lowest free address, or `undefined` when none is left. */
  take(): number | undefined {
    while (this.lowest <= this.last && this.used.has(this.lowest)) this.lowest++;
    if (this.lowest > this.last) return undefined;
    this.used.add(this.lowest);
    return this.lowest++;
  }

  /** Takes this very address; false when it is taken or not of this subnet. */
  reserve(address: number): boolean {
    if (!contains(this.subnet, address) || this.used.has(address)) return false;
    this.used.add(address);
    return true;
  }

  release(address: number): void {
    if (this.used.delete(address)) this.lowest = Math.min(this.lowest, address);
  }
}
