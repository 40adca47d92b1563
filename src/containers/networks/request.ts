import { EngineError } from "../../lib/errors.ts";
import { type PortRange, parsePort, parseRange } from "../../lib/net/ports.ts";
import type { PortRequest, SandboxRequest, SandboxState } from "../../network/contract.ts";
import type { ContainerConfig, HostConfig } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/** Published ports as asked: `-p` bindings one by one, and with `-P` every exposed port that has none. */
export function portRequests(config: ContainerConfig, host: HostConfig): PortRequest[] {
  if (host.NetworkMode === "host" || host.NetworkMode === "none") return [];
  const requests: PortRequest[] = [];
  for (const [spec, bindings] of Object.entries(host.PortBindings ?? {})) {
    const ports = parsePort(spec);
    if (!ports) throw new EngineError("invalid", `invalid port specification: "${spec}"`);
    // a run that asks for numbers stays one; any free number is asked for one by one
    const [runs, others] = partition(
      bindings ?? [],
      ({ Each, HostPort }) => Each === true && HostPort !== "",
    );
    for (const { HostIp, HostPort } of runs) {
      const first = request(ports.first, ports.protocol, HostIp, HostPort);
      requests.push({ ...first, hostPortEnd: first.hostPort, count: ports.last - ports.first + 1 });
    }
    // Docker takes port 0 and publishes nothing that could be reached
    for (let port = Math.max(1, ports.first); port <= ports.last; port++)
      for (const { HostIp, HostPort } of others)
        requests.push(request(port, ports.protocol, HostIp, HostPort));
  }
  if (!host.PublishAllPorts) return requests;
  const published = new Set(
    requests.flatMap(({ port, protocol, count = 1 }) =>
      Array.from({ length: count }, (_, index) => `${port + index}/${protocol}`),
    ),
  );
  for (const { port, protocol } of exposedPorts(config))
    if (!published.has(`${port}/${protocol}`)) requests.push(request(port, protocol, "", ""));
  return requests;
}

function partition<T>(all: readonly T[], test: (one: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((one) => !test(one))];
}

function request(
  port: number,
  protocol: PortRequest["protocol"],
  hostIp: string,
  hostPort: string,
): PortRequest {
  const range = hostPort === "" ? { first: 0, last: 0 } : parseRange(hostPort);
  if (!range) throw new EngineError("invalid", `invalid port specification: "${hostPort}"`);
  return { port, protocol, hostIp, hostPort: range.first, hostPortEnd: range.last };
}

/** What is no port (Docker lets it in) is passed over. */
export const exposedRanges = (config: ContainerConfig): PortRange[] =>
  Object.keys(config.ExposedPorts ?? {}).flatMap((spec) => parsePort(spec) ?? []);

/** The same one by one. */
export const exposedPorts = (
  config: ContainerConfig,
): { port: number; protocol: PortRequest["protocol"] }[] =>
  exposedRanges(config).flatMap(({ first, last, protocol }) =>
    Array.from({ length: last - first + 1 }, (_, index) => ({ port: first + index, protocol })),
  );

/** Who a container is on its networks, and what it publishes. */
export const networkIdentity = (
  { config }: Pick<Context, "config">,
  { id, name, spec }: Container,
): Omit<SandboxRequest, "networks"> => ({
  containerId: id,
  containerName: name,
  hostname: spec.config.Hostname,
  ports: portRequests(spec.config, spec.hostConfig),
  dns: {
    servers: spec.hostConfig.Dns?.length ? spec.hostConfig.Dns : config.dns,
    options: spec.hostConfig.DnsOptions?.length ? spec.hostConfig.DnsOptions : config.dnsOptions,
  },
});

/** A network it was in is asked for by its id: another one of that name is another network. */
export const sandboxRequest = (ctx: Pick<Context, "config">, container: Container): SandboxRequest => ({
  ...networkIdentity(ctx, container),
  networks: Object.fromEntries(
    Object.entries(container.spec.networks).map(([name, asked]) => [
      container.life.networks?.[name]?.id || name,
      asked,
    ]),
  ),
});

/** One event for each network that a container has joined or left. */
export function tellNetworks(
  ctx: Context,
  container: Container,
  state: SandboxState | undefined,
  action: "connect" | "disconnect",
): void {
  for (const [name, endpoint] of Object.entries(state?.endpoints ?? {}))
    tellNetwork(ctx, container, { name, id: endpoint.NetworkID }, action);
}

/** A failed start leaves every network that it was to join, also where it had not come to joining one. */
export function tellLeft(ctx: Context, container: Container): void {
  for (const name of Object.keys(container.spec.networks)) {
    const network = ctx.networks.lookUp(container.life.networks?.[name]?.id || name);
    if (network) tellNetwork(ctx, container, { name: network.Name, id: network.Id }, "disconnect");
  }
}

export function tellNetwork(
  ctx: Context,
  container: Container,
  { name, id }: { name: string; id: string },
  action: "connect" | "disconnect",
): void {
  const type = ctx.networks.lookUp(id)?.Driver ?? "";
  ctx.events.publish({ type: "network", action, id, attributes: { container: container.id, name, type } });
}
