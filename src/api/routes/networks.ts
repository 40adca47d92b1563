import { EngineError } from "../../lib/errors.ts";
import type { EndpointSettings, NetworkCreateRequest, NetworkInspect } from "../../types/api.ts";
import { networkConnect, networkCreate, networkDisconnect } from "../decode/bodies.ts";
import { listFilters } from "../decode/filters.ts";
import { filterNetworks } from "../filters/networks.ts";
import { created, emptyOk, json, noContent } from "../reply.ts";
import type { Handler, Route } from "../router.ts";
import { notManagerSentence } from "./swarm.ts";

const list: Handler = ({ engine, query }) => {
  const filters = listFilters(query.text("filters"), "networks");
  const used = ({ Id }: NetworkInspect): boolean =>
    Object.keys(engine.networks.get(Id).Containers).length > 0;
  return json(filterNetworks(engine.networks.list(), filters, used));
};

const inspect: Handler = ({ engine, query, ...call }) => {
  query.strictFlag("verbose");
  const id = call.params["id"] ?? "";
  const network = engine.networks.get(id);
  if (query.text("scope") !== "" && query.text("scope") !== network.Scope)
    throw new EngineError("notFound", `network ${id} not found`);
  return json(network);
};

const remove: Handler = async (call) => {
  await call.engine.networks.remove(call.param("id"));
  return noContent;
};

const create: Handler = async (call) => {
  const body = await call.json<NetworkCreateRequest>(networkCreate);
  // an option since API 1.48
  if (call.minor < 48) delete body.EnableIPv4;
  if (body.Driver === "overlay") throw new EngineError("forbidden", notManagerSentence);
  const { id, warning } = await call.engine.networks.create(body);
  return created({ Id: id, Warning: warning });
};

const connect: Handler = async (call) => {
  const body = await call.json<{ Container?: string; EndpointConfig?: Partial<EndpointSettings> | null }>(
    networkConnect,
  );
  const container = body.Container ?? "";
  if (container === "") throw new EngineError("invalid", 'invalid name or ID supplied: ""');
  await call.engine.containers.connect(container, call.param("id"), body.EndpointConfig ?? {});
  return emptyOk;
};

const disconnect: Handler = async (call) => {
  const { Container: container = "", Force: force = false } = await call.json<{
    Container?: string;
    Force?: boolean;
  }>(networkDisconnect);
  if (container === "") throw new EngineError("invalid", 'invalid name or ID supplied: ""');
  await call.engine.containers.disconnect(container, call.param("id"), { force });
  return emptyOk;
};

const doctor =
  (mend: boolean): Handler =>
  async ({ engine }) =>
    json(await engine.networks.doctor({ mend }));

export const networkRoutes: readonly Route[] = [
  { method: "GET", pattern: "/networks", handler: list },
  { method: "GET", pattern: "/networks/", handler: list },
  { method: "GET", pattern: "/networks/{id}", handler: inspect },
  { method: "DELETE", pattern: "/networks/{id}", handler: remove },
  { method: "GET", pattern: "/berth/networks/doctor", handler: doctor(false) },
  { method: "POST", pattern: "/berth/networks/doctor", handler: doctor(true) },
  { method: "POST", pattern: "/networks/create", handler: create },
  { method: "POST", pattern: "/networks/{id}/connect", handler: connect },
  { method: "POST", pattern: "/networks/{id}/disconnect", handler: disconnect },
];
