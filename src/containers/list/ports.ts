import { bindingsOf, hasRuns, portKey, stretches } from "../../lib/net/port-runs.ts";
import { parsePort, parseRange } from "../../lib/net/ports.ts";
import type { ContainerConfig, PortBinding, PortMap, PortSummary } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { exposedPorts } from "../networks/request.ts";

/**
 * `NetworkSettings.Ports` of a running container: what is published, and `null` for what is only exposed. Thousands of
 * ports are runs.
 */
export function portMapOf(container: Container): PortMap {
  const sandbox = container.life.sandbox;
  if (!container.alive || !sandbox) return {};
  const published = sandbox.ports;
  const host = container.spec.hostConfig.NetworkMode;
  if (host === "host" || host === "none") return {};
  const outward = Object.values(sandbox.endpoints).some(
    ({ Gateway, IPv6Gateway }) => Gateway !== "" || IPv6Gateway !== "",
  );
  // a container that no network lets out publishes nothing, and Docker tells not even what it exposes
  if (!outward) return {};
  return withExposed(published, container.spec.config);
}

function withExposed(published: PortMap, config: ContainerConfig): PortMap {
  const { ExposedPorts = {} } = config;
  if (hasRuns(published) || hasRuns(ExposedPorts)) {
    const exposed: PortMap = Object.fromEntries(Object.keys(ExposedPorts).map((key) => [key, null]));
    const entries = [...stretches<PortBinding[] | null>(exposed, published)].map((one) => {
      const { first, last, protocol, value } = one;
      return [portKey(first, last, protocol), value && bindingsOf(value, one)] as const;
    });
    return Object.fromEntries(entries);
  }
  const all: PortMap = {};
  for (const { port, protocol } of exposedPorts(config)) all[`${port}/${protocol}`] = null;
  const merged = { ...all, ...published };
  return Object.fromEntries(Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same as the list tells it: one entry for each address. */
export function portSummaries(container: Container): PortSummary[] {
  return Object.entries(portMapOf(container)).flatMap(([key, bindings]): PortSummary[] => {
    const { first, last, protocol } = parsePort(key) ?? { first: 0, last: 0, protocol: "tcp" };
    const many = last > first ? { Count: last - first + 1 } : {};
    if (bindings === null || bindings.length === 0) return [{ PrivatePort: first, Type: protocol, ...many }];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort: first,
      PublicPort: parseRange(HostPort)?.first ?? 0,
      Type: protocol,
      ...many,
    }));
  });
}
