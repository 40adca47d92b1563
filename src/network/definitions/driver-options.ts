import { EngineError } from "../../lib/errors.ts";
import { goBool, goBoolError } from "../../lib/go/bool.ts";
import { type Family, type Ip, parseCidr, parseIp, type Subnet } from "../addresses/ip.ts";
import type { Definitions, NetworkDefinition, NetworkSpec } from "./definitions.ts";

/** Names of the options that the bridge driver reads (`-o`). */
export const bridgeOption = {
  default: "com.docker.network.bridge.default_bridge",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  bindAddress: "com.docker.network.bridge.host_binding_ipv4",
  bindAddress6: "com.docker.network.bridge.host_binding_ipv6",
  gatewayMode4: "com.docker.network.bridge.gateway_mode_ipv4",
  gatewayMode6: "com.docker.network.bridge.gateway_mode_ipv6",
  inhibit4: "com.docker.network.bridge.inhibit_ipv4",
  name: "com.docker.network.bridge.name",
  mtu: "com.docker.network.driver.mtu",
  ipv4: "com.docker.network.enable_ipv4",
  ipv6: "com.docker.network.enable_ipv6",
  interfacePrefix: "com.docker.network.container_iface_prefix",
} as const;

/**
 * How packets pass between a network and the world: `nat` hides containers behind the host's addresses and lets in
 * what is published; `nat-unprotected` lets in everything; `routed` hides nothing and lets in published ports at the
 * container's own address; `isolated` gives the bridge no address at all (internal networks only).
 */
type GatewayMode = "nat" | "nat-unprotected" | "routed" | "isolated";

/** One family's side of a network, read. */
interface NetworkSubnet {
  subnet: Subnet;
  /** none on networks that need none (isolated, or with routes straight out of the interface) */
  gateway: Ip | undefined;
  range?: Subnet;
  /** the user gave the subnet: containers may ask for addresses of it */
  configured: boolean;
}

/** A bridge network's spec, read. */
export interface BridgeNetwork {
  definition: NetworkDefinition;
  /** the interface on the host */
  bridge: string;
  v4: NetworkSubnet | undefined;
  v6: NetworkSubnet | undefined;
  mtu: number;
  icc: boolean;
  masquerade: boolean;
  mode4: GatewayMode;
  mode6: GatewayMode;
  internal: boolean;
  /** the host keeps no IPv4 address on the bridge */
  inhibit4: boolean;
  /** where ports are published that name no address; "" = the engine's default */
  bindAddress: string;
}

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

function flag(options: Record<string, string>, name: string, standard: boolean): boolean {
  const value = options[name];
  if (value === undefined) return standard;
  const read = goBool(value);
  if (read !== undefined) return read;
  throw invalid(`failed to parse ${name} value: ${value} (${goBoolError(value)})`);
}

/** Bytes; 0 = the driver's own default. */
export function mtuOf(options: Record<string, string>): number {
  const value = options[bridgeOption.mtu];
  if (value === undefined || value === "") return 0;
  if (!/^[+-]?\d+$/.test(value)) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`;
    throw invalid(`failed to parse ${bridgeOption.mtu} value: ${value} (${reason})`);
  }
  if (Number(value) < 0) throw invalid(`invalid MTU number: ${value}`);
  return Number(value);
}

const gatewayModes: ReadonlySet<string> = new Set(["nat", "nat-unprotected", "routed", "isolated"]);

function gatewayMode({ options, internal }: NetworkSpec, name: string): GatewayMode {
  const value = options[name] ?? "";
  if (value === "") return "nat";
  if (!gatewayModes.has(value))
    throw invalid(`failed to parse ${name} value: ${value} (unknown gateway mode ${value})`);
  if (value === "isolated" && !internal)
    throw new EngineError("internal", "gateway mode 'isolated' can only be used for an internal network");
  return value as GatewayMode;
}

function bindAddress(options: Record<string, string>, name: string): string {
  const value = options[name] ?? "";
  if (value !== "" && !parseIp(value)) throw invalid(`failed to parse ${name} value: ${value} (nil ip)`);
  return value;
}

export function subnetsOf({ spec }: NetworkDefinition, family: Family): NetworkSubnet[] {
  return spec.subnets.flatMap(({ subnet, gateway, range, chosen }) => {
    const read = parseCidr(subnet).subnet;
    const ip = parseIp(gateway);
    if (read.family !== family) return [];
    const part = range === undefined ? {} : { range: parseCidr(range).subnet };
    return [{ subnet: read, gateway: ip, configured: !chosen, ...part }];
  });
}

/** What the kernel takes as a name, without what has a meaning in nft(8)'s text. */
function bridgeName({ options }: NetworkSpec, standard: string): string {
  const name = options[bridgeOption.name] || standard;
  // the kernel's answers, as Docker hands them on
  if (name.length > 15) throw new EngineError("internal", "numerical result out of range");
  if (/[\s/:]/.test(name) || name === "." || name === "..")
    throw new EngineError("internal", "invalid argument");
  if (!/^[\w.@+=,~-]+$/.test(name)) throw invalid(`invalid bridge name ${JSON.stringify(name)}`);
  return name;
}

const readBefore = new WeakMap<NetworkDefinition, BridgeNetwork>();

/** Every bridge network, the default one included. */
export const bridgesIn = (definitions: Definitions): BridgeNetwork[] =>
  definitions.all().flatMap((one) => (one.driver === "bridge" ? [readBridge(one)] : []));

/** Throws Docker's sentence for an option that does not parse. */
export function readBridge(definition: NetworkDefinition): BridgeNetwork {
  const known = readBefore.get(definition);
  if (known) return known;
  const { id, spec } = definition;
  const { options } = spec;
  const network: BridgeNetwork = {
    definition,
    bridge: bridgeName(spec, `br-${id.slice(0, 12)}`),
    v4: spec.ipv4 ? subnetsOf(definition, 4)[0] : undefined,
    v6: spec.ipv6 ? subnetsOf(definition, 6)[0] : undefined,
    mtu: mtuOf(options) || 1500,
    icc: flag(options, bridgeOption.icc, true),
    masquerade: flag(options, bridgeOption.masquerade, true),
    mode4: gatewayMode(spec, bridgeOption.gatewayMode4),
    mode6: gatewayMode(spec, bridgeOption.gatewayMode6),
    internal: spec.internal,
    inhibit4: flag(options, bridgeOption.inhibit4, false),
    bindAddress: bindAddress(options, bridgeOption.bindAddress),
  };
  bindAddress(options, bridgeOption.bindAddress6);
  readBefore.set(definition, network);
  return network;
}
