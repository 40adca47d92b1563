import { EngineError } from "../../lib/errors.ts";
import type { NetworkDefinition } from "../definitions/definitions.ts";
import { subnetsOf } from "../definitions/driver-options.ts";
import { AddressPool } from "./address-pool.ts";
import { type Family, type Ip, parseIp } from "./ip.ts";

/** An address with the prefix length of its subnet, and the subnet's gateway. */
export interface Assigned {
  ip: Ip;
  prefix: number;
  gateway: Ip | undefined;
}

interface Pool {
  addresses: AddressPool;
  gateway: Ip | undefined;
}

/** The address pools of all networks, filled from the records as each is first used. */
export class Addresses {
  private readonly pools = new Map<string, Record<Family, Pool[]>>();
  private readonly recorded: (networkId: string) => string[];

  /** `recorded` tells the addresses that a network's endpoints have. */
  constructor(recorded: (networkId: string) => string[]) {
    this.recorded = recorded;
  }

  /** The asked address, or the lowest free one of the network's subnets. */
  take(network: NetworkDefinition, family: Family, asked: string | undefined): Assigned {
    const pools = this.poolsOf(network)[family];
    if (asked) return this.takeAsked(pools, asked);
    for (const { addresses, gateway } of pools) {
      const ip = addresses.take();
      if (ip) return { ip, prefix: addresses.subnet.prefix, gateway };
    }
    throw new EngineError(
      "internal",
      `no available IPv${family} addresses on this network's address pools: ${network.name} (${network.id})`,
    );
  }

  release(networkId: string, address: string): void {
    const ip = parseIp(address);
    if (!ip) return;
    for (const { addresses } of this.pools.get(networkId)?.[ip.family] ?? []) addresses.release(ip);
  }

  /** The network is gone. */
  forget(networkId: string): void {
    this.pools.delete(networkId);
  }

  private takeAsked(pools: readonly Pool[], asked: string): Assigned {
    const ip = parseIp(asked);
    const pool = ip && pools.find(({ addresses }) => addresses.reserve(ip));
    if (!ip || !pool) throw new EngineError("forbidden", "Address already in use");
    return { ip, prefix: pool.addresses.subnet.prefix, gateway: pool.gateway };
  }

  private poolsOf(network: NetworkDefinition): Record<Family, Pool[]> {
    const known = this.pools.get(network.id);
    if (known) return known;
    const recorded = this.recorded(network.id).flatMap((address) => parseIp(address) ?? []);
    const auxiliary = network.spec.subnets.flatMap(({ auxiliary: named }) =>
      Object.values(named ?? {}).flatMap((address) => parseIp(address) ?? []),
    );
    const open = (family: Family): Pool[] => {
      const used = [...recorded, ...auxiliary].filter((ip) => ip.family === family);
      return subnetsOf(network, family).map(({ subnet, gateway, range }) => ({
        addresses: new AddressPool({
          subnet,
          ...(range ? { range } : {}),
          used: [...(gateway ? [gateway] : []), ...used].map(({ value }) => value),
        }),
        gateway,
      }));
    };
    const pools = { 4: open(4), 6: open(6) };
    this.pools.set(network.id, pools);
    return pools;
  }
}
