import { EngineError } from "../../lib/errors.ts";
import { goBool } from "../../lib/go/bool.ts";
import { newId } from "../../lib/ids.ts";
import { nowNs } from "../../lib/time/time.ts";
import type { IpamConfig, NetworkCreateRequest } from "../../types/api.ts";
import { AddressPool } from "../addresses/address-pool.ts";
import {
  contains,
  type Family,
  formatIp,
  overlaps,
  parseCidr,
  parseIp,
  readCidr,
  type Subnet,
} from "../addresses/ip.ts";
import { chooseSubnet, type ReadPool } from "../addresses/pools.ts";
import { joinFaults } from "../endpoints/requests.ts";
import {
  type Definitions,
  isPredefined,
  type NetworkDefinition,
  type NetworkDriver,
  type NetworkSpec,
  type SubnetSpec,
} from "./definitions.ts";
import { bridgeOption, readBridge } from "./driver-options.ts";
import { checkDriver, takesGateway } from "./drivers.ts";
import { firstOf, subnetSpec, subnetsIn } from "./predefined.ts";

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);
const internal = (sentence: string): EngineError => new EngineError("internal", sentence);
const forbidden = (sentence: string): EngineError => new EngineError("forbidden", sentence);

interface CreateTools {
  definitions: Definitions;
  pools: readonly ReadPool[];
  /** `default-network-opts` by driver */
  defaultOptions: Record<string, Record<string, string>>;
  /** routes and addresses of the host */
  hostSubnets: () => Promise<Subnet[]>;
}

/** Everything about a new network decided, in Docker's order of refusals; nothing is made or recorded yet. */
export async function defineNetwork(
  request: NetworkCreateRequest,
  tools: CreateTools,
): Promise<NetworkDefinition> {
  checkName(request.Name ?? "", tools.definitions);
  checkScope(request);
  const wanted = request.ConfigFrom?.Network ? borrowed(request, tools.definitions) : asked(request, tools);
  checkIpam(request);
  const driver = request.ConfigOnly === true ? "null" : driverOf(request.Driver || "bridge");
  const definition: NetworkDefinition = {
    id: newId(),
    name: request.Name ?? "",
    driver,
    createdNs: nowNs(),
    spec: wanted,
  };
  if (wanted.configOnly) return definition;
  if (!wanted.ipv4 && !wanted.ipv6) throw invalid("IPv4 or IPv6 must be enabled");
  checkDriver(definition);
  if (wanted.options[bridgeOption.mtu] === "")
    throw invalid(`failed to parse ${bridgeOption.mtu} value:  (strconv.Atoi: parsing "": invalid syntax)`);
  const complete = { ...definition, spec: { ...wanted, subnets: await allocate(definition, tools) } };
  if (driver === "bridge") refuseTakenBridge(complete, tools.definitions);
  return complete;
}

function checkName(name: string, definitions: Definitions): void {
  if (name.trim() === "") throw invalid("invalid name: name is empty");
  if (isPredefined(name) || name === "default")
    throw forbidden(`operation is not permitted on predefined ${name} network `);
  if (definitions.named(name)) throw new EngineError("conflict", `network with name ${name} already exists`);
}

function checkScope({
  Scope,
  Ingress,
  ConfigOnly,
  Internal,
  Attachable,
  ConfigFrom,
}: NetworkCreateRequest): void {
  if (Scope === "swarm") throw forbidden("cannot create a swarm scoped network when swarm is not active");
  if (Ingress) throw forbidden("Ingress network can only be global scope network");
  if (!ConfigOnly) return;
  if (Internal || Attachable || (Scope ?? "") !== "")
    throw forbidden(
      "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.",
    );
  if (ConfigFrom?.Network)
    throw forbidden("a configuration network cannot depend on another configuration network");
}

function driverOf(name: string): NetworkDriver {
  if (name === "host" || name === "null")
    throw forbidden(`only one instance of "${name}" network is allowed`);
  if (name === "bridge" || name === "macvlan" || name === "ipvlan") return name;
  throw new EngineError("notFound", `plugin "${name}" not found`);
}

/** What the request says, completed by the configuration's defaults. */
function asked(request: NetworkCreateRequest, { defaultOptions }: CreateTools): NetworkSpec {
  const options = { ...defaultOptions[request.Driver || "bridge"], ...request.Options };
  const flag = (name: string): boolean | undefined => {
    const value = options[name];
    if (value === undefined) return undefined;
    const read = goBool(value);
    if (read === undefined) throw invalid(`driver-opt ${JSON.stringify(name)} is not a valid bool`);
    return read;
  };
  return {
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    ingress: false,
    scope: request.Scope || "local",
    ipv4: request.EnableIPv4 ?? flag(bridgeOption.ipv4) ?? true,
    ipv6: request.EnableIPv6 ?? flag(bridgeOption.ipv6) ?? false,
    options,
    labels: { ...request.Labels },
    ipam: { driver: request.IPAM?.Driver || "default", options: request.IPAM?.Options ?? null },
    subnets: (request.IPAM?.Config ?? []).map(askedSubnet),
    configOnly: request.ConfigOnly ?? false,
    configFrom: "",
  };
}

const askedSubnet = ({ Subnet, Gateway, IPRange, AuxiliaryAddresses }: IpamConfig): SubnetSpec => ({
  subnet: Subnet ?? "",
  gateway: Gateway ?? "",
  gatewayTold: (Gateway ?? "") !== "",
  chosen: (Subnet ?? "") === "",
  ...(IPRange ? { range: IPRange } : {}),
  ...(AuxiliaryAddresses ? { auxiliary: AuxiliaryAddresses } : {}),
});

/** `ConfigFrom`: another network's configuration, to which only what concerns the operator may be added. */
function borrowed(request: NetworkCreateRequest, definitions: Definitions): NetworkSpec {
  const own =
    request.EnableIPv4 === false ||
    request.EnableIPv6 === true ||
    Object.keys(request.Labels ?? {}).length > 0 ||
    (request.IPAM?.Config ?? []).length > 0 ||
    Object.keys(request.IPAM?.Options ?? {}).length > 0;
  if (own)
    throw forbidden(
      "user specified configurations are not supported if the network depends on a configuration network",
    );
  if (Object.keys(request.Options ?? {}).length > 0)
    throw forbidden(
      "network driver options are not supported if the network depends on a configuration network",
    );
  const name = request.ConfigFrom?.Network ?? "";
  const lender = definitions.known(name);
  if (!lender?.spec.configOnly)
    throw new EngineError("notFound", `configuration network ${JSON.stringify(name)} does not exist`);
  return {
    ...lender.spec,
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    scope: request.Scope || "local",
    configOnly: false,
    configFrom: lender.name,
  };
}

function checkIpam({ IPAM, ConfigOnly }: NetworkCreateRequest): void {
  const faults = (IPAM?.Config ?? []).flatMap((config) => ipamFaults(config));
  if (faults.length > 0) throw invalid(`invalid network config:\n${joinFaults(faults)}`);
  const driver = IPAM?.Driver || "default";
  if (driver === "null" && ConfigOnly !== true)
    throw invalid(
      (IPAM?.Config ?? []).length > 0
        ? "null ipam driver does not handle specific address pool requests"
        : "ipv4 pool is empty",
    );
  if (driver !== "default" && driver !== "null")
    throw new EngineError("notFound", `plugin "${driver}" not found`);
}

function ipamFaults({ Subnet: text = "", IPRange, Gateway, AuxiliaryAddresses }: IpamConfig): string[] {
  const read = readCidr(text);
  if (!read) return [`invalid subnet ${text}: invalid CIDR block notation`];
  const { subnet, ip } = read;
  if (ip.value !== subnet.base)
    return [
      `invalid subnet ${text}: it should be ${formatIp({ ...ip, value: subnet.base })}/${subnet.prefix}`,
    ];
  return [
    ...rangeFaults(text, subnet, IPRange ?? ""),
    ...addressFaults(`gateway ${Gateway}`, text, subnet, Gateway ?? ""),
    ...Object.entries(AuxiliaryAddresses ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, address]) => addressFaults(`auxiliary address ${name}`, text, subnet, address, true)),
  ];
}

function rangeFaults(parent: string, subnet: Subnet, text: string): string[] {
  if (text === "") return [];
  const range = readCidr(text);
  if (!range) return [`invalid ip-range ${text}: invalid CIDR block notation`];
  const fault = (reason: string): string[] => [`invalid ip-range ${text}: ${reason}`];
  if (range.subnet.family !== subnet.family) return fault(`parent subnet is an IPv${subnet.family} block`);
  const whole = formatIp({ ...range.ip, value: range.subnet.base });
  if (range.ip.value !== range.subnet.base) return fault(`it should be ${whole}/${range.subnet.prefix}`);
  return contains(subnet, range.ip) && range.subnet.prefix >= subnet.prefix
    ? []
    : fault(`parent subnet ${parent} doesn't contain ip-range`);
}

function addressFaults(
  what: string,
  parent: string,
  subnet: Subnet,
  text: string,
  required = false,
): string[] {
  if (text === "" && !required) return [];
  const ip = parseIp(text);
  if (!ip) return [`invalid ${what}: invalid address`];
  if (ip.family !== subnet.family) return [`invalid ${what}: parent subnet is an IPv${subnet.family} block`];
  return contains(subnet, ip)
    ? []
    : [`invalid ${what}: parent subnet ${parent} doesn't contain this address`];
}

/** Subnets and gateways for each family that is on: those asked for, else from the pools. */
async function allocate(definition: NetworkDefinition, tools: CreateTools): Promise<SubnetSpec[]> {
  const { driver, spec } = definition;
  const others = tools.definitions.all().flatMap((one) => subnetsIn(one.spec));
  const own = spec.subnets.map(({ subnet }) => parseCidr(subnet).subnet);
  if (own.some((subnet, index) => [...others, ...own.slice(0, index)].some((one) => overlaps(subnet, one))))
    throw forbidden("invalid pool request: Pool overlaps with other one on this address space");
  const count = (family: Family): number => own.filter((subnet) => subnet.family === family).length;
  if (driver === "bridge" && (count(4) > 1 || count(6) > 1))
    throw invalid("bridge driver doesn't support multiple subnets");
  const given = spec.subnets.map((subnet) => completeSubnet(definition, subnet));
  const missing = ([4, 6] as const).filter(
    (family) => (family === 4 ? spec.ipv4 : spec.ipv6) && count(family) === 0,
  );
  if (missing.length === 0) return given;
  const taken = [...others, ...own, ...(await tools.hostSubnets())];
  const chosen = missing.map((family) => {
    const pools = tools.pools.filter(({ subnet }) => subnet.family === family);
    const subnet = chooseSubnet(pools, taken);
    const chosenSubnet = subnetSpec(subnet, firstOf(subnet));
    return takesGateway(definition, family) ? chosenSubnet : { ...chosenSubnet, gateway: "" };
  });
  return [...given, ...chosen];
}

/** The gateway, where none was named the lowest address that containers may have; no auxiliary address may be another's. */
function completeSubnet(definition: NetworkDefinition, spec: SubnetSpec): SubnetSpec {
  const { subnet } = parseCidr(spec.subnet);
  const range = spec.range === undefined ? {} : { range: parseCidr(spec.range).subnet };
  const addresses = new AddressPool({ subnet, ...range, used: [] });
  const named = parseIp(spec.gateway);
  if (named && !addresses.reserve(named))
    throw internal(`failed to allocate gateway (${spec.gateway}): Address already in use`);
  const gateway = named ?? (takesGateway(definition, subnet.family) ? addresses.take() : undefined);
  if (!gateway && takesGateway(definition, subnet.family))
    throw internal("failed to allocate gateway (): no available addresses on this pool");
  for (const [name, address] of Object.entries(spec.auxiliary ?? {})) {
    const ip = parseIp(address);
    if (ip && !addresses.reserve(ip))
      throw internal(`failed to allocate secondary ip address (${name}:${address}): Address already in use`);
  }
  return { ...spec, gateway: gateway ? formatIp(gateway) : "", chosen: false };
}

function refuseTakenBridge(definition: NetworkDefinition, definitions: Definitions): void {
  const { bridge } = readBridge(definition);
  for (const other of definitions.all())
    if (other.driver === "bridge" && readBridge(other).bridge === bridge)
      throw forbidden(
        `cannot create network ${definition.id} (${bridge}): conflicts with network ${other.id} (${bridge}): networks have same bridge name`,
      );
}
