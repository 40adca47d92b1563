import type { State } from "../../state/database.ts";
import {
  formatIp,
  formatSubnet,
  type Ip,
  overlaps,
  parseCidr,
  readCidr,
  type Subnet,
} from "../addresses/ip.ts";
import { chooseSubnet, localPool, readPools, type SubnetPool } from "../addresses/pools.ts";
import { type Definitions, emptySpec, type NetworkSpec, type SubnetSpec } from "./definitions.ts";
import { bridgeOption } from "./driver-options.ts";

export interface DefaultBridgeOptions {
  /** "berth0" */
  bridge: string;
  subnetPools: readonly SubnetPool[];
  /** the bridge's own address and its network, as CIDR; else the pools give one */
  bip?: string;
  mtu?: number;
  icc: boolean;
  ipMasq: boolean;
  defaultBindAddress: string;
  /** containers get IPv6 addresses too */
  ipv6: boolean;
  /** part of the subnet from which addresses are given */
  fixedCidr?: string;
  /** the IPv6 subnet; else one of the engine's own */
  fixedCidrV6?: string;
  engineId: string;
}

/**
 * The three networks that every engine has. The default bridge keeps its subnet from start to start, unless the host
 * has come to use it for something else while no container has an address of it.
 */
export function definePredefined(
  state: State,
  definitions: Definitions,
  options: DefaultBridgeOptions,
  hostSubnets: readonly Subnet[],
): void {
  const known = definitions.all();
  state.transaction(() => {
    if (!known.some(({ name }) => name === "none")) definitions.put("none", "null", emptySpec);
    if (!known.some(({ name }) => name === "host")) definitions.put("host", "host", emptySpec);
    const bridge = known.find(({ name }) => name === "bridge");
    const others = known.filter(({ name }) => name !== "bridge").flatMap(({ spec }) => subnetsIn(spec));
    const inUse = bridge !== undefined && hasEndpoints(state, bridge.id);
    const taken = [...hostSubnets, ...others];
    const [before4, before6] = bridge?.spec.subnets ?? [];
    const subnets = [
      bridgeSubnet(options, taken, before4, inUse),
      ...(options.ipv6 ? [bridgeSubnet6(options, taken, before6)] : []),
    ];
    const spec: NetworkSpec = {
      ...emptySpec,
      ipv6: options.ipv6,
      subnets,
      options: bridgeOptions(options),
    };
    if (JSON.stringify(spec) !== JSON.stringify(bridge?.spec)) definitions.put("bridge", "bridge", spec);
  });
}

function hasEndpoints(state: State, networkId: string): boolean {
  return state.db.query("SELECT 1 FROM endpoints WHERE network_id = ? LIMIT 1").get(networkId) !== null;
}

/** Every subnet of a network that is no mere configuration. */
export const subnetsIn = ({ subnets, configOnly }: NetworkSpec): Subnet[] =>
  configOnly ? [] : subnets.flatMap(({ subnet }) => readCidr(subnet)?.subnet ?? []);

function bridgeSubnet(
  options: DefaultBridgeOptions,
  taken: readonly Subnet[],
  before: SubnetSpec | undefined,
  inUse: boolean,
): SubnetSpec {
  if (inUse && before) return before;
  const range = options.fixedCidr === undefined ? {} : { range: options.fixedCidr };
  if (options.bip !== undefined) {
    const { ip, subnet } = parseCidr(options.bip);
    return { ...subnetSpec(subnet, ip), ...range };
  }
  if (options.fixedCidr !== undefined && !before) {
    const { subnet } = parseCidr(options.fixedCidr);
    return subnetSpec(subnet, firstOf(subnet));
  }
  const pools = readPools(options.subnetPools).filter(({ subnet }) => subnet.family === 4);
  const remembered = before && parseCidr(before.subnet).subnet;
  const stillOurs =
    remembered &&
    pools.some(({ subnet, size }) => size === remembered.prefix && overlaps(subnet, remembered));
  if (stillOurs && !taken.some((subnet) => overlaps(subnet, remembered))) return before;
  const chosen = chooseSubnet(pools, taken);
  return subnetSpec(chosen, firstOf(chosen));
}

function bridgeSubnet6(
  { engineId, fixedCidrV6, subnetPools }: DefaultBridgeOptions,
  taken: readonly Subnet[],
  before: SubnetSpec | undefined,
): SubnetSpec {
  if (fixedCidrV6 !== undefined) {
    const { subnet } = parseCidr(fixedCidrV6);
    return subnetSpec(subnet, firstOf(subnet));
  }
  if (before) return before;
  const pools = readPools([...subnetPools, localPool(engineId)]).filter(({ subnet }) => subnet.family === 6);
  const chosen = chooseSubnet(pools, taken);
  return subnetSpec(chosen, firstOf(chosen));
}

/** A gateway is a subnet's first address, unless that is all it has. */
export const firstOf = ({ family, base, prefix }: Subnet): Ip => ({
  family,
  value: prefix >= (family === 4 ? 31 : 127) ? base : base + 1n,
});

/** A subnet that the engine chose. */
export const subnetSpec = (subnet: Subnet, gateway: Ip): SubnetSpec => ({
  subnet: formatSubnet(subnet),
  gateway: formatIp(gateway),
  gatewayTold: true,
  chosen: true,
});

const bridgeOptions = (options: DefaultBridgeOptions): Record<string, string> => ({
  [bridgeOption.default]: "true",
  [bridgeOption.icc]: String(options.icc),
  [bridgeOption.masquerade]: String(options.ipMasq),
  [bridgeOption.bindAddress]: options.defaultBindAddress === "" ? "0.0.0.0" : options.defaultBindAddress,
  [bridgeOption.name]: options.bridge,
  [bridgeOption.mtu]: String(options.mtu ?? 1500),
});
