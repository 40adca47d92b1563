import { EngineError } from "../../../lib/errors.ts";
import { stringify } from "../../../lib/wire/json.ts";
import type { ContainerUpdateRequest, StatsResponse } from "../../../types/api.ts";
import { containerChange, containerUpdate } from "../../decode/bodies.ts";
import { contentTypes, json, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

async function* lines(source: AsyncIterable<StatsResponse>): AsyncGenerator<string, void> {
  for await (const stats of source) yield `${stringify(stats)}\n`;
}

const stats: Handler = async (call): Promise<Reply> => {
  const { stats: service } = call.engine.containers;
  const stream = call.query.flag("stream", true);
  const oneShot = call.minor >= 41 && call.query.flag("one-shot");
  if (stream && oneShot) throw new EngineError("invalid", "cannot have stream=true and one-shot=true");
  if (!stream) return json(await service.once(call.param("id"), { oneShot }));
  const body = lines(service.follow(call.param("id"), call.signal));
  return { kind: "stream", status: 200, contentType: contentTypes.json, body };
};

const top: Handler = async (call) =>
  json(await call.engine.containers.top(call.param("id"), call.query.text("ps_args") || "-ef"));

/** Clients before API 1.40 do not know the limit of processes. */
const update: Handler = async (call) => {
  const body = await call.json<ContainerUpdateRequest>(containerUpdate);
  const { PidsLimit: _unknown, ...older } = body;
  return json(await call.engine.containers.update(call.param("id"), call.minor < 40 ? older : body));
};

/** Our own; the body is read where it is understood, as that of a create. */
const reconfigure: Handler = async (call) =>
  json(await call.engine.containers.reconfigure(call.param("id"), await call.json<object>(containerChange)));

export const containerResourceRoutes: readonly Route[] = [
  { method: "GET", pattern: "/containers/{id}/stats", handler: stats },
  { method: "GET", pattern: "/containers/{id}/top", handler: top },
  { method: "POST", pattern: "/containers/{id}/update", handler: update },
  { method: "POST", pattern: "/containers/{id}/reconfigure", handler: reconfigure },
];
