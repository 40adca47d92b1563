import type { PortMap, PortSummary } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { exposedPorts } from "../networks/request.ts";

/** `NetworkSettings.Ports` of a running container: what is published, and `null` for what is only exposed. */
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
  const all: PortMap = {};
  for (const { port, protocol } of exposedPorts(container.spec.config)) all[`${port}/${protocol}`] = null;
  const merged = { ...all, ...published };
  return Object.fromEntries(Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same as the list tells it: one entry for each address. */
export function portSummaries(container: Container): PortSummary[] {
  return Object.entries(portMapOf(container)).flatMap(([port, bindings]): PortSummary[] => {
    const [number = "0", type = "tcp"] = port.split("/");
    const PrivatePort = Number(number);
    if (bindings === null || bindings.length === 0) return [{ PrivatePort, Type: type }];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort,
      PublicPort: Number(HostPort),
      Type: type,
    }));
  });
}
