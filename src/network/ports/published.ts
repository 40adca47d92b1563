import { isIP, isIPv4 } from "node:net";
import { EngineError } from "../../lib/errors.ts";
import type { PortBinding, PortMap } from "../../types/api.ts";
import type { PortRequest } from "../contract.ts";
import type { PublishedRule } from "../rules.ts";

/** A published port as it is recorded: one host address, one host port. */
export interface PublishedPort {
  protocol: PortRequest["protocol"];
  port: number;
  hostIp: string;
  hostPort: number;
}

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
  for (const { port, protocol, hostIp, hostPort } of ports) {
    const key = `${port}/${protocol}`;
    map.set(key, [...(map.get(key) ?? []), { HostIp: hostIp, HostPort: String(hostPort) }]);
  }
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The packet rules for them; IPv6 goes through forwarders alone. */
export const portRules = (ports: readonly PublishedPort[], containerIp: string): PublishedRule[] =>
  ports
    .filter(({ hostIp }) => isIPv4(hostIp))
    .map(({ protocol, port, hostIp, hostPort }) => ({
      hostIp,
      protocol,
      hostPort,
      containerIp,
      containerPort: port,
    }));
