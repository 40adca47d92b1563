import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { Addresses, Assigned } from "../addresses/addresses.ts";
import { formatIp, type Ip, ipBytes, parseIp } from "../addresses/ip.ts";
import type { SandboxRequest } from "../contract.ts";
import type { NetworkDefinition } from "../definitions/definitions.ts";
import { mtuOf } from "../definitions/driver-options.ts";
import { interfacePrefix, linkPlan, wayOut } from "../definitions/drivers.ts";
import { randomMac } from "../kernel/mac.ts";
import type { HeldNamespace } from "../sandboxes/namespace-pool.ts";
import type { AddressPlan, EndpointPlan } from "../worker/protocol.ts";
import { dnsNamesOf } from "./names.ts";
import { endpointSettings, formatMac, macOf, parseMac, sysctlsOption } from "./requests.ts";
import type { EndpointRecord } from "./store.ts";

/** One network a container asked for. */
export interface Attachment {
  definition: NetworkDefinition;
  asked: Partial<EndpointSettings>;
}

/** What is recorded of an endpoint, and what the Worker has to make of it (nothing for host and none). */
export interface PlannedEndpoint {
  record: EndpointRecord;
  /** without default routes: which endpoint has them is known when all are planned */
  plan: EndpointPlan | undefined;
}

export type Owner = Pick<SandboxRequest, "containerId" | "containerName" | "hostname" | "dns">;

/** Takes addresses for the endpoint and decides everything about it; `taken` are the interfaces the container has. */
export function planEndpoint(
  owner: Owner,
  { definition, asked }: Attachment,
  { sandboxId, path }: HeldNamespace,
  { addresses, taken }: { addresses: Addresses; taken: ReadonlySet<string> },
): PlannedEndpoint {
  const id = newId();
  const { containerId, containerName, dns } = owner;
  const link = linkPlan(definition, id);
  const common = {
    sandboxId,
    netnsPath: path,
    networkName: definition.name,
    containerName,
    ports: [],
    ...(dns ? { dns } : {}),
  };
  const identity = { id, containerId, networkId: definition.id };
  if (!link) {
    const settings = endpointSettings(asked, { NetworkID: definition.id, EndpointID: id });
    const spec = { ...common, link: "", interface: "", settings };
    return { record: { ...identity, ipv4: null, ipv6: null, spec }, plan: undefined };
  }
  const name = interfaceName(definition, asked, taken);
  const sysctls = sysctlsOf(asked, name);
  const { v4, v6 } = takeAddresses(definition, asked, addresses);
  const mac =
    link.kind === "ipvlan" ? undefined : macFor(asked, link.kind === "veth" ? (v4 ?? v6) : undefined);
  const way = wayOut(definition);
  const gateway = (assigned: Assigned | undefined): string =>
    assigned?.gateway && way === "gateway" ? formatIp(assigned.gateway) : "";
  const settings = endpointSettings(asked, {
    NetworkID: definition.id,
    EndpointID: id,
    MacAddress: mac ? formatMac(mac) : "",
    Gateway: gateway(v4),
    IPAddress: v4 ? formatIp(v4.ip) : "",
    IPPrefixLen: v4?.prefix ?? 0,
    IPv6Gateway: gateway(v6),
    GlobalIPv6Address: v6 ? formatIp(v6.ip) : "",
    GlobalIPv6PrefixLen: v6?.prefix ?? 0,
    DNSNames: dnsNamesOf(definition, owner, asked),
  });
  const viaDevice = way === "device" ? { viaDevice: true } : {};
  const hostLink = link.kind === "veth" ? link.link : "";
  const spec = { ...common, link: hostLink, interface: name, settings, ...viaDevice };
  const both = [v4, v6].flatMap((one) => one ?? []);
  return {
    record: { ...identity, ipv4: v4 ? formatIp(v4.ip) : null, ipv6: v6 ? formatIp(v6.ip) : null, spec },
    plan: {
      netnsPath: path,
      link,
      name,
      ...(mac ? { mac } : {}),
      addresses: both.map(({ ip, prefix }) => ({ bytes: ipBytes(ip), prefix })),
      linkLocal: linkLocalOf(asked),
      ipv6: definition.spec.ipv6,
      routes: [],
      mtu: mtuOf(definition.spec.options) || (link.kind === "veth" ? 1500 : 0),
      sysctls,
    },
  };
}

/** Both families' addresses or none. */
function takeAddresses(
  definition: NetworkDefinition,
  asked: Partial<EndpointSettings>,
  addresses: Addresses,
): { v4: Assigned | undefined; v6: Assigned | undefined } {
  const { ipv4, ipv6 } = definition.spec;
  const v4 = ipv4 ? addresses.take(definition, 4, asked.IPAMConfig?.IPv4Address) : undefined;
  try {
    return { v4, v6: ipv6 ? addresses.take(definition, 6, asked.IPAMConfig?.IPv6Address) : undefined };
  } catch (error) {
    if (v4) addresses.release(definition.id, formatIp(v4.ip));
    throw error;
  }
}

/** What the user chose besides, of whatever range, with the prefix of link-local addresses. */
const linkLocalOf = ({ IPAMConfig }: Partial<EndpointSettings>): AddressPlan[] =>
  (IPAMConfig?.LinkLocalIPs ?? []).flatMap((text) => {
    const ip = parseIp(text);
    if (ip && !isLinkLocal(ip))
      throw new EngineError("invalid", `invalid link local IP address: ${formatIp(ip)}`);
    return ip ? [{ bytes: ipBytes(ip), prefix: ip.family === 4 ? 16 : 64 }] : [];
  });

/** 169.254.0.0/16 and fe80::/10 */
const isLinkLocal = ({ family, value }: Ip): boolean =>
  family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan;

/** On a bridge it follows from the address; what shares a wire with others has one of its own each time. */
function macFor(asked: Partial<EndpointSettings>, assigned: Assigned | undefined): Uint8Array {
  return parseMac(asked.MacAddress ?? "") ?? (assigned ? macOf(assigned.ip) : randomMac());
}

const ifnameOption = "com.docker.network.endpoint.ifname";

/** The one asked for, or the first free: eth0, eth1 … */
function interfaceName(
  definition: NetworkDefinition,
  { DriverOpts }: Partial<EndpointSettings>,
  taken: ReadonlySet<string>,
): string {
  const wanted = DriverOpts?.[ifnameOption];
  if (wanted !== undefined && wanted !== "") {
    if (!/^[^\s/:]{1,15}$/.test(wanted) || wanted === "." || wanted === ".." || wanted === "lo")
      throw new EngineError("invalid", `invalid interface name: ${wanted}`);
    if (taken.has(wanted)) throw new EngineError("invalid", `interface name ${wanted} is used already`);
    return wanted;
  }
  const prefix = interfacePrefix(definition);
  for (let index = 0; ; index++) if (!taken.has(`${prefix}${index}`)) return `${prefix}${index}`;
}

/** "net.ipv4.conf.IFNAME.log_martians=1,…" → paths below /proc/sys/net and their values. */
function sysctlsOf({ DriverOpts }: Partial<EndpointSettings>, name: string): [string, string][] {
  const text = DriverOpts?.[sysctlsOption] ?? "";
  if (text === "") return [];
  return text.split(",").map((entry) => {
    const [, group, kind, key, value] =
      /^net\.(ipv4|ipv6|mpls)\.(conf|neigh)\.IFNAME\.([a-z0-9_]+)=(.*)$/i.exec(entry) ?? [];
    if (group === undefined || kind === undefined || key === undefined)
      throw new EngineError(
        "invalid",
        `invalid ${sysctlsOption} ${entry}: it should be net.ipv4.conf.IFNAME.NAME=VALUE`,
      );
    return [`${group}/${kind}/${name}/${key}`, value ?? ""];
  });
}
