import { createHash } from "node:crypto";
import { EngineError } from "../../lib/errors.ts";
import { bitsOf, overlaps, parseCidr, type Subnet, sizeOf } from "./ip.ts";

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

/** A unique local /48 (RFC 4193) of this engine's own, by /64: the same at every start. */
export function localPool(engineId: string): SubnetPool {
  const hex = createHash("sha256").update(engineId).digest("hex").slice(0, 10);
  return { base: `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/48`, size: 64 };
}

export interface ReadPool {
  subnet: Subnet;
  size: number;
}

export const readPools = (pools: readonly SubnetPool[]): ReadPool[] =>
  pools.map(({ base, size }) => ({ subnet: parseCidr(base).subnet, size }));

/** how many subnets of one pool are looked at: more networks than that are not made */
const triesMax = 65_536;

/** The first subnet of the pools that overlaps none of `taken` (the host's routes and the other networks). */
export function chooseSubnet(pools: readonly ReadPool[], taken: readonly Subnet[]): Subnet {
  for (const { subnet, size } of pools) {
    const step = 1n << BigInt(bitsOf(subnet.family) - size);
    const end = subnet.base + sizeOf(subnet);
    let base = subnet.base;
    for (let tries = 0; tries < triesMax && base + step <= end; tries++) {
      const candidate = { family: subnet.family, base, prefix: size };
      const other = taken.find((one) => overlaps(candidate, one));
      if (!other) return candidate;
      // behind what is in the way, at the next multiple of the step
      const behind = other.base + sizeOf(other) - subnet.base;
      base = subnet.base + ((behind + step - 1n) / step) * step;
    }
  }
  throw new EngineError("invalid", "all predefined address pools have been fully subnetted");
}
