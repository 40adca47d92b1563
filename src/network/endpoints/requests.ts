import { EngineError } from "../../lib/errors.ts";
import { emptyEndpoint } from "../../lib/net/endpoint-settings.ts";
import type { EndpointSettings } from "../../types/api.ts";
import { contains, type Family, type Ip, ipBytes, parseIp } from "../addresses/ip.ts";
import type { SandboxRequest } from "../contract.ts";
import { isPredefined, type NetworkDefinition } from "../definitions/definitions.ts";
import { subnetsOf } from "../definitions/driver-options.ts";
import { checkPort } from "../ports/published.ts";

/** "02:42:ac:11:00:02" ↔ six bytes; `undefined` for what is no MAC address. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Buffer.from(text.replace(/[:-]/g, ""), "hex");
}

export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");

/**
 * The MAC of an address, as Docker made them for long: the next owner of the address has it too, so nobody's
 * neighbour table goes stale.
 */
export const macOf = (ip: Ip): Uint8Array => Buffer.concat([Buffer.of(0x02, 0x42), ipBytes(ip).subarray(-4)]);

/** What a network cannot do, in Docker's sentences; `find` gives a network that is known. */
export function checkRequest(
  request: SandboxRequest,
  find: (name: string) => NetworkDefinition | undefined,
): void {
  for (const [network, settings] of Object.entries(request.networks)) {
    checkMac(settings, `invalid config for network ${network}: `);
    const faults = endpointFaults(network, settings, find(network));
    if (faults.length > 0)
      throw new EngineError("invalid", `invalid config for network ${network}: ${told(faults)}`);
  }
  for (const port of request.ports) checkPort(port);
}

/** The same for a container that exists. */
export function checkEndpoint(
  network: string,
  settings: Partial<EndpointSettings>,
  definition: NetworkDefinition | undefined,
): void {
  checkMac(settings, "");
  const faults = endpointFaults(network, settings, definition);
  if (faults.length > 0) throw new EngineError("invalid", told(faults));
}

/** One on a line of its own, several as a list: Go's errors.Join, as Docker prints it. */
export const joinFaults = (faults: readonly string[]): string =>
  faults.length === 1 ? (faults[0] ?? "") : faults.map((fault) => `* ${fault}`).join("\n");

/** The one fault that Docker tells alone, before it looks at the others. */
function checkMac({ MacAddress }: Partial<EndpointSettings>, prefix: string): void {
  if (MacAddress && !parseMac(MacAddress))
    throw new EngineError("invalid", `${prefix}invalid MAC address ${MacAddress}`);
}

const told = (faults: readonly string[]): string => `invalid endpoint settings:\n${joinFaults(faults)}`;

function endpointFaults(
  network: string,
  settings: Partial<EndpointSettings>,
  definition: NetworkDefinition | undefined,
): string[] {
  const { IPv4Address = "", IPv6Address = "", LinkLocalIPs = [] } = settings.IPAMConfig ?? {};
  const predefined = network === "default" || isPredefined(definition?.name ?? network);
  return [
    ...(predefined && (IPv4Address || IPv6Address)
      ? ["user specified IP address is supported on user defined networks only"]
      : []),
    ...(predefined && (settings.Aliases ?? []).length > 0
      ? ["network-scoped alias is supported only for containers in user defined networks"]
      : []),
    ...addressFaults(IPv4Address, 4, definition),
    ...addressFaults(IPv6Address, 6, definition),
    ...LinkLocalIPs.filter((address) => !parseIp(address)).map(
      (address) => `invalid link-local IP address: ${address}`,
    ),
    ...sysctlFaults(settings.DriverOpts?.[sysctlsOption] ?? ""),
  ];
}

/** an endpoint's option: settings of its interface, which they name IFNAME */
export const sysctlsOption = "com.docker.network.endpoint.sysctls";

const sysctlFaults = (text: string): string[] =>
  text
    .split(",")
    .filter((sysctl) => text !== "" && !/^[^.]*\.(ipv4|ipv6|mpls)\.[^.]*\.(IFNAME|ifname)\./.test(sysctl))
    .map(
      (sysctl) =>
        `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
    );

/** What a network's subnets allow is known once there is such a network. */
function addressFaults(text: string, family: Family, definition: NetworkDefinition | undefined): string[] {
  if (text === "") return [];
  const ip = parseIp(text);
  const malformed = ip?.family === family ? [] : [`invalid IPv${family} address: ${text}`];
  if (!definition) return malformed;
  // the default bridge's subnet counts as configured, since the engine names it
  const named = isPredefined(definition.name);
  const configured = subnetsOf(definition, family).filter((one) => one.configured || named);
  return [
    ...malformed,
    ...(configured.length === 0
      ? [
          "user specified IP address is supported only when connecting to networks with user configured subnets",
        ]
      : ip && configured.some(({ subnet }) => contains(subnet, ip))
        ? []
        : [`no configured subnet or ip-range contain the IP address ${text}`]),
  ];
}

/** What `inspect` tells of an endpoint: what was asked, and what it got. */
export const endpointSettings = (
  asked: Partial<EndpointSettings>,
  got: Partial<EndpointSettings> & { NetworkID: string; EndpointID: string },
): EndpointSettings => ({
  ...emptyEndpoint,
  IPAMConfig: asked.IPAMConfig ?? null,
  Links: asked.Links ?? null,
  Aliases: asked.Aliases ?? null,
  DriverOpts: asked.DriverOpts ?? null,
  GwPriority: asked.GwPriority ?? 0,
  ...got,
});
