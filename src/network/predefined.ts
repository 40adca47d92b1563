import type { State } from "../state/database.ts";
import { type Definitions, emptySpec, type NetworkSpec, type SubnetSpec } from "./definitions.ts";
import { bridgeOption } from "./driver-options.ts";
import { formatIp, formatSubnet, type Ip, overlaps, parseCidr, readCidr, type Subnet } from "./ip.ts";
import { chooseSubnet, readPools, type SubnetPool } from "./pools.ts";

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
    const subnet = bridgeSubnet(options, [...hostSubnets, ...others], bridge?.spec.subnets[0], inUse);
    const spec: NetworkSpec = { ...emptySpec, subnets: [subnet], options: bridgeOptions(options) };
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
  if (options.bip !== undefined) {
    const { ip, subnet } = parseCidr(options.bip);
    return subnetSpec(subnet, ip);
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
