import { isIP, isIPv4 } from "node:net";
import { EngineError } from "../../lib/errors.ts";
import { portKey, rangeText } from "../../lib/net/port-runs.ts";
import type { PortBinding, PortMap } from "../../types/api.ts";
import type { PortRequest } from "../contract.ts";
import type { PortRules } from "../host/rules.ts";
import type { Span } from "./port-table.ts";

/** A published port as it is recorded: one host address, one host port (0 where the network is routed to). */
export interface PublishedPort {
  protocol: PortRequest["protocol"];
  port: number;
  hostIp: string;
  hostPort: number;
  /** so many ports, one after another on both sides, which packet rules alone carry */
  count?: number;
}

/** The places of the host that it takes. */
export const spanOf = ({ protocol, hostIp, hostPort, count = 1 }: PublishedPort): Span => ({
  protocol,
  ip: hostIp,
  first: hostPort,
  last: hostPort + count - 1,
});

const counted = (count: number): { count?: number } => (count > 1 ? { count } : {});

/** A part of it, `offset` ports behind its first. */
export const partOf = (
  { count: _, port, hostPort, ...published }: PublishedPort,
  offset: number,
  count: number,
): PublishedPort => ({
  ...published,
  port: port + offset,
  hostPort: hostPort === 0 ? 0 : hostPort + offset,
  ...counted(count),
});

/** Refuses what no host could publish; the sentence names the value. */
export function checkPort({ port, hostIp, hostPort, hostPortEnd }: PortRequest): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new EngineError("invalid", `invalid containerPort: ${port}`);
  const last = Math.max(hostPort, hostPortEnd);
  if (!Number.isInteger(hostPort) || !Number.isInteger(hostPortEnd) || hostPort < 0 || last > 65535)
    throw new EngineError("invalid", `invalid hostPort: ${hostPort}`);
  if (hostIp !== "" && isIP(hostIp) === 0) throw new EngineError("invalid", `invalid IP address: ${hostIp}`);
}

/** As `inspect` tells them: by container port, in the order in which they were asked for. */
export function portMap(ports: readonly PublishedPort[]): PortMap {
  const map = new Map<string, PortBinding[]>();
  for (const { port, protocol, hostIp, hostPort, count = 1 } of ports) {
    const key = portKey(port, port + count - 1, protocol);
    const HostPort = hostPort === 0 ? "" : rangeText(hostPort, hostPort + count - 1);
    const binding: PortBinding = { HostIp: hostIp, HostPort, ...(count > 1 ? { Each: true } : {}) };
    const before = map.get(key);
    if (before) before.push(binding);
    else map.set(key, [binding]);
  }
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where a container's published ports lead: its addresses in the network that has its default route. */
export interface PublishTarget {
  /** "" = none */
  ipv4: string;
  ipv6: string;
  /** packets of the family go straight to the container's address: no host port is taken */
  routed4: boolean;
  routed6: boolean;
  /** where ports are published that name no address; "" = the engine's default */
  bindAddress: string;
  /** whose ports they are */
  owner: () => string;
}

/** The container's address that serves a host address; "" = none. IPv6 is served by an IPv4 address too, by a socket. */
export const servedBy = (hostIp: string, { ipv4, ipv6 }: PublishTarget): string =>
  isIPv4(hostIp) ? ipv4 : ipv6 || ipv4;

/** The packet rules for them; what crosses from one family to the other goes through forwarders alone. */
export function portRules(ports: readonly PublishedPort[], target: PublishTarget): PortRules {
  const published = ports.flatMap(({ protocol, port, hostIp, hostPort, count = 1 }) => {
    const containerIp = servedBy(hostIp, target);
    if (hostPort === 0 || isIP(containerIp) !== isIP(hostIp)) return [];
    return [{ hostIp, protocol, hostPort, containerIp, containerPort: port, ...counted(count) }];
  });
  const routed = ports
    .filter(({ hostPort }) => hostPort === 0)
    .map(({ protocol, port, hostIp, count = 1 }) => ({
      protocol,
      containerIp: servedBy(hostIp, target),
      containerPort: port,
      ...counted(count),
    }));
  return { published, routed };
}
