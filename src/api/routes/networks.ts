import { EngineError } from "../../lib/errors.ts";
import type { ObjectShape } from "../../lib/go-json/shape.ts";
import type { ContainerSummary, NetworkInspect } from "../../types/api.ts";
import type { Call } from "../call.ts";
import { networkConnect, networkCreate, networkDisconnect } from "../decode/bodies.ts";
import { listFilters } from "../decode/filters.ts";
import { notBuilt } from "../errors.ts";
import { filterNetworks, isPredefined } from "../filters/networks.ts";
import { json } from "../reply.ts";
import type { Handler, Route } from "../router.ts";
import { notManagerSentence } from "./swarm.ts";

const list: Handler = async (call) => {
  const { engine, query } = call;
  const filters = listFilters(query.text("filters"), "networks");
  const running = filters.has("dangling") ? await runningContainers(call) : [];
  const used = (network: NetworkInspect): boolean =>
    running.some((container) => network.Name in container.NetworkSettings.Networks);
  return json(filterNetworks(engine.networks.list(), filters, used));
};

const inspect: Handler = async (call) => {
  const { engine, query } = call;
  query.strictFlag("verbose");
  const network = engine.networks.get(call.param("id"));
  if (query.text("scope") !== "" && query.text("scope") !== network.Scope)
    throw new EngineError("notFound", `network ${call.param("id")} not found`);
  return json({ ...network, Containers: membersOf(network, await runningContainers(call)) });
};

const remove: Handler = (call) => {
  const network = call.engine.networks.get(call.param("id"));
  if (isPredefined(network.Name))
    throw new EngineError("forbidden", `${network.Name} is a pre-defined network and cannot be removed`);
  throw notBuilt("DELETE", "/networks/{id}");
};

/** What can be told of a network's creation before there is one. */
const create: Handler = async (call) => {
  const body = await call.json<{ Name?: string; Driver?: string }>(networkCreate);
  if (!body.Name?.trim()) throw new EngineError("invalid", "invalid name: name is empty");
  if (body.Driver === "overlay") throw new EngineError("forbidden", notManagerSentence);
  throw notBuilt("POST", "/networks/create");
};

/** Connecting and disconnecting name a container, whatever else they say. */
const membership =
  (pattern: string, shape: ObjectShape): Handler =>
  async (call) => {
    const body = await call.json<{ Container?: string }>(shape);
    if (!body.Container) throw new EngineError("invalid", 'invalid name or ID supplied: ""');
    call.engine.networks.get(call.param("id"));
    throw notBuilt("POST", pattern);
  };

const runningContainers = (call: Call): Promise<ContainerSummary[]> =>
  call.engine.containers.list({ all: false, size: false, filters: new Map() });

/** The containers in a network, by id. */
function membersOf(network: NetworkInspect, running: ContainerSummary[]): NetworkInspect["Containers"] {
  const members: NetworkInspect["Containers"] = {};
  for (const container of running) {
    const endpoint = container.NetworkSettings.Networks[network.Name];
    if (!endpoint) continue;
    const prefixed = (address: string, length: number): string =>
      address === "" ? "" : `${address}/${length}`;
    members[container.Id] = {
      Name: (container.Names[0] ?? "").replace(/^\//, ""),
      EndpointID: endpoint.EndpointID,
      MacAddress: endpoint.MacAddress,
      IPv4Address: prefixed(endpoint.IPAddress, endpoint.IPPrefixLen),
      IPv6Address: prefixed(endpoint.GlobalIPv6Address, endpoint.GlobalIPv6PrefixLen),
    };
  }
  return members;
}

export const networkRoutes: readonly Route[] = [
  { method: "GET", pattern: "/networks", handler: list },
  { method: "GET", pattern: "/networks/", handler: list },
  { method: "GET", pattern: "/networks/{id}", handler: inspect },
  { method: "DELETE", pattern: "/networks/{id}", handler: remove },
  { method: "POST", pattern: "/networks/create", handler: create },
  {
    method: "POST",
    pattern: "/networks/{id}/connect",
    handler: membership("/networks/{id}/connect", networkConnect),
  },
  {
    method: "POST",
    pattern: "/networks/{id}/disconnect",
    handler: membership("/networks/{id}/disconnect", networkDisconnect),
  },
];
