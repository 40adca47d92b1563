import { EngineError } from "../lib/errors.ts";
import { overlaps, type Subnet, sizeOf } from "./ipv4.ts";

/** A range of addresses from which networks get subnets of `size` bits (`default-address-pools`). */
export interface SubnetPool {
  /** CIDR */
  base: string;
  /** prefix length of each subnet */
  size: number;
}

/** Docker's: 172.17 to 172.31 by /16, then 192.168 by /20 (reference: dockerd's local-scope pools). */
export const defaultSubnetPools: readonly SubnetPool[] = [
  { base: "172.17.0.0/16", size: 16 },
  { base: "172.18.0.0/16", size: 16 },
  { base: "172.19.0.0/16", size: 16 },
  { base: "172.20.0.0/14", size: 16 },
  { base: "172.24.0.0/14", size: 16 },
  { base: "172.28.0.0/14", size: 16 },
  { base: "192.168.0.0/16", size: 20 },
];

/** The first subnet of the pools that overlaps none of `taken` (the host's routes and the other networks). */
export function chooseSubnet(
  pools: readonly { subnet: Subnet; size: number }[],
  taken: readonly Subnet[],
): Subnet {
  for (const { subnet, size } of pools) {
    const step = 2 ** (32 - size);
    for (let base = subnet.base; base + step <= subnet.base + sizeOf(subnet); base += step) {
      const candidate = { base, prefix: size };
      if (!taken.some((other) => overlaps(candidate, other))) return candidate;
    }
  }
  throw new EngineError("invalid", "all predefined address pools have been fully subnetted");
}
