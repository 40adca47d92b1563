import { EngineError } from "../lib/errors.ts";
import { AddressPool } from "./address-pool.ts";
import { type NetworkDefinition, readBridge } from "./definitions.ts";
import { parseIpv4 } from "./ipv4.ts";

/** The address pools of all networks, filled from the records as each is first used. */
export class Addresses {
  private readonly pools = new Map<string, AddressPool>();
  private readonly recorded: (networkId: string) => string[];

  /** `recorded` tells the addresses that a network's endpoints have. */
  constructor(recorded: (networkId: string) => string[]) {
    this.recorded = recorded;
  }

  /** The asked address, or the lowest free one. */
  take(network: NetworkDefinition, asked: string | undefined): number {
    const pool = this.poolOf(network);
    if (asked) {
      const address = parseIpv4(asked);
      if (address === undefined || !pool.reserve(address))
        throw new EngineError("forbidden", "Address already in use");
      return address;
    }
    const address = pool.take();
    if (address === undefined)
      throw new EngineError(
        "internal",
        `no available IPv4 addresses on this network's address pools: ${network.name} (${network.id})`,
      );
    return address;
  }

  release(networkId: string, address: string): void {
    this.pools.get(networkId)?.release(parseIpv4(address) ?? 0);
  }

  private poolOf(network: NetworkDefinition): AddressPool {
    const known = this.pools.get(network.id);
    if (known) return known;
    const { subnet, gateway } = readBridge(network);
    const used = this.recorded(network.id).map((address) => parseIpv4(address) ?? 0);
    const pool = new AddressPool(subnet, gateway, used);
    this.pools.set(network.id, pool);
    return pool;
  }
}
