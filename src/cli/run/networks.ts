import { parseCsv } from "../../lib/go/csv.ts";
import { emptyEndpoint } from "../../lib/net/endpoint-settings.ts";
import type { EndpointSettings } from "../../types/api.ts";

/** `--network`: a name, or `name=…,alias=…`. */
export interface NetworkAttachment {
  target: string;
  aliases: string[];
  driverOpts: Record<string, string>;
  ip: string;
  ip6: string;
  macAddress: string;
  linkLocalIps: string[];
  gwPriority: number;
  links: string[];
}

const attachment = (target: string): NetworkAttachment => ({
  target,
  aliases: [],
  driverOpts: {},
  ip: "",
  ip6: "",
  macAddress: "",
  linkLocalIps: [],
  gwPriority: 0,
  links: [],
});

export function parseNetwork(text: string): NetworkAttachment {
  if (!/\w=\w/.test(text)) return attachment(text);
  const network = attachment("");
  for (const field of parseCsv(text)) {
    const at = field.indexOf("=");
    if (at <= 0) throw new Error(`invalid field ${field}`);
    set(network, field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim());
  }
  if (network.target === "") throw new Error("network name/id is not specified");
  return network;
}

function set(network: NetworkAttachment, key: string, value: string): void {
  switch (key) {
    case "name":
      network.target = value;
      return;
    case "alias":
      network.aliases.push(value);
      return;
    case "ip":
      network.ip = value;
      return;
    case "ip6":
      network.ip6 = value;
      return;
    case "mac-address":
      network.macAddress = value;
      return;
    case "link-local-ip":
      network.linkLocalIps.push(value);
      return;
    case "driver-opt": {
      const at = value.indexOf("=");
      if (at <= 0) throw new Error("invalid key value pair format in driver options");
      network.driverOpts[value.slice(0, at).trim()] = value.slice(at + 1).trim();
      return;
    }
    case "gw-priority":
      if (!/^-?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`);
      network.gwPriority = Number(value);
      return;
    default:
      throw new Error(`invalid field key ${key}`);
  }
}

/** Options that describe the container's first network from outside `--network`. */
interface SingleNetworkOptions {
  aliases: readonly string[];
  links: readonly string[];
  ip: string;
  ip6: string;
  macAddress: string;
  linkLocalIps: readonly string[];
}

const isUserDefined = (mode: string): boolean =>
  !["", "default", "bridge", "none", "host", "nat"].includes(mode) && !mode.startsWith("container:");

export interface Networking {
  mode: string;
  endpoints: Record<string, EndpointSettings>;
}

export function networking(networks: readonly NetworkAttachment[], single: SingleNetworkOptions): Networking {
  const all = networks.length > 0 ? networks : [attachment("default")];
  const endpoints: Record<string, EndpointSettings> = {};
  let userDefined = 0;
  for (const network of all) {
    if (isUserDefined(network.target)) userDefined++;
    const complete = network === all[0] ? withSingle(network, single) : network;
    check(complete);
    if (Object.hasOwn(endpoints, network.target))
      throw new Error(`network ${JSON.stringify(network.target)} is specified multiple times`);
    endpoints[network.target] = endpoint(complete);
  }
  if (userDefined > 0 && userDefined < all.length)
    throw new Error(
      "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
    );
  return { mode: all[0]?.target ?? "default", endpoints };
}

function withSingle(network: NetworkAttachment, single: SingleNetworkOptions): NetworkAttachment {
  const conflict = (what: string): Error => new Error(`conflicting options: cannot specify both ${what}`);
  if (network.aliases.length > 0 && single.aliases.length > 0)
    throw conflict("--network-alias and per-network alias");
  if (network.ip && single.ip) throw conflict("--ip and per-network IPv4 address");
  if (network.ip6 && single.ip6) throw conflict("--ip6 and per-network IPv6 address");
  if (network.macAddress && single.macAddress) throw conflict("--mac-address and per-network MAC address");
  if (network.linkLocalIps.length > 0 && single.linkLocalIps.length > 0)
    throw conflict("--link-local-ip and per-network link-local IP addresses");
  return {
    ...network,
    aliases: [...network.aliases, ...single.aliases],
    links: isUserDefined(network.target) ? [...network.links, ...single.links] : network.links,
    ip: network.ip || single.ip,
    ip6: network.ip6 || single.ip6,
    macAddress: network.macAddress || single.macAddress,
    linkLocalIps: [...network.linkLocalIps, ...single.linkLocalIps],
  };
}

const macPattern = /^([0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2})$/;

export function checkMac(address: string): void {
  if (address && !macPattern.test(address)) throw new Error(`${address} is not a valid mac address`);
}

function check(network: NetworkAttachment): void {
  if (network.target.trim() === "") throw new Error("no name set for network");
  if (!isUserDefined(network.target)) {
    if (network.aliases.length > 0)
      throw new Error("network-scoped aliases are only supported for user-defined networks");
    if (network.links.length > 0)
      throw new Error("network-scoped links are only supported for user-defined networks");
  }
  checkMac(network.macAddress);
}

const orNull = (items: readonly string[]): string[] | null => (items.length > 0 ? [...items] : null);

export function endpoint(network: NetworkAttachment): EndpointSettings {
  const { ip, ip6, linkLocalIps } = network;
  const ipam = {
    ...(ip ? { IPv4Address: ip } : {}),
    ...(ip6 ? { IPv6Address: ip6 } : {}),
    ...(linkLocalIps.length > 0 ? { LinkLocalIPs: linkLocalIps } : {}),
  };
  return {
    ...emptyEndpoint,
    IPAMConfig: Object.keys(ipam).length > 0 ? ipam : null,
    Links: orNull(network.links),
    Aliases: orNull(network.aliases),
    MacAddress: network.macAddress,
    DriverOpts: Object.keys(network.driverOpts).length > 0 ? network.driverOpts : null,
    GwPriority: network.gwPriority,
  };
}
