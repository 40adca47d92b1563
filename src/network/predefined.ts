import type { State } from "../state/database.ts";
import { bridgeOption, type Definitions, type NetworkSpec, subnetSpec } from "./definitions.ts";
import { overlaps, parseCidr, type Subnet } from "./ipv4.ts";
import { chooseSubnet, type SubnetPool } from "./pools.ts";

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

const plain: NetworkSpec = { internal: false, attachable: false, options: {}, labels: {} };

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
    if (!known.some(({ name }) => name === "none")) definitions.put("none", "null", plain);
    if (!known.some(({ name }) => name === "host")) definitions.put("host", "host", plain);
    const bridge = known.find(({ name }) => name === "bridge");
    const others = known.flatMap(({ name, spec }) =>
      name !== "bridge" && spec.subnet !== undefined ? [parseCidr(spec.subnet).subnet] : [],
    );
    const inUse = bridge !== undefined && hasEndpoints(state, bridge.id);
    const address = bridgeAddress(options, [...hostSubnets, ...others], bridge?.spec, inUse);
    const spec = { ...plain, ...address, options: bridgeOptions(options) };
    if (JSON.stringify(spec) !== JSON.stringify(bridge?.spec)) definitions.put("bridge", "bridge", spec);
  });
}

function hasEndpoints(state: State, networkId: string): boolean {
  return state.db.query("SELECT 1 FROM endpoints WHERE network_id = ? LIMIT 1").get(networkId) !== null;
}

function bridgeAddress(
  options: DefaultBridgeOptions,
  taken: readonly Subnet[],
  before: NetworkSpec | undefined,
  inUse: boolean,
): Pick<NetworkSpec, "subnet" | "gateway"> {
  const kept = { subnet: before?.subnet ?? "", gateway: before?.gateway ?? "" };
  if (inUse) return kept;
  if (options.bip !== undefined) {
    const { address, subnet } = parseCidr(options.bip);
    return subnetSpec(subnet, address);
  }
  const pools = options.subnetPools.map(({ base, size }) => ({ subnet: parseCidr(base).subnet, size }));
  const remembered = kept.subnet === "" ? undefined : parseCidr(kept.subnet).subnet;
  const stillOurs =
    remembered &&
    pools.some(({ subnet, size }) => size === remembered.prefix && overlaps(subnet, remembered));
  if (remembered && stillOurs && !taken.some((subnet) => overlaps(subnet, remembered))) return kept;
  const chosen = chooseSubnet(pools, taken);
  return subnetSpec(chosen, chosen.base + 1);
}

const bridgeOptions = (options: DefaultBridgeOptions): Record<string, string> => ({
  [bridgeOption.default]: "true",
  [bridgeOption.icc]: String(options.icc),
  [bridgeOption.masquerade]: String(options.ipMasq),
  [bridgeOption.bindAddress]: options.defaultBindAddress === "" ? "0.0.0.0" : options.defaultBindAddress,
  [bridgeOption.name]: options.bridge,
  [bridgeOption.mtu]: String(options.mtu ?? 1500),
});
