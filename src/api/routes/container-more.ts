import { EngineError } from "../../lib/errors.ts";
import { familiar, parseRepoTag } from "../../lib/image/reference.ts";
import type { ContainerConfig } from "../../types/api.ts";
import { containerCreate } from "../decode/bodies.ts";
import { created, json } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

const changes: Handler = async (call) => json(await call.engine.containers.changes(call.param("id")));

const top: Handler = async (call) =>
  json(await call.engine.containers.top(call.param("id"), call.query.text("ps_args") || "-ef"));

/** What a body's configuration says goes before the container's own. */
const commit: Handler = async (call) => {
  const { engine, query } = call;
  const config = await call.json<Partial<ContainerConfig>>(containerCreate);
  const container = query.text("container");
  if (container === "") throw new EngineError("invalid", 'invalid name or ID supplied: ""');
  const repo = query.text("repo");
  const pause = query.text("pause") === "" || query.flag("pause");
  const Id = await engine.containers.commit(container, {
    ...(repo === "" ? {} : { reference: familiar(parseRepoTag(repo, query.text("tag"))) }),
    author: query.text("author"),
    message: query.text("comment"),
    changes: query.all("changes"),
    pause,
    ...(Object.keys(config).length === 0 ? {} : { config }),
  });
  return created({ Id });
};

export const containerMoreRoutes: readonly Route[] = [
  { method: "GET", pattern: "/containers/{id}/changes", handler: changes },
  { method: "GET", pattern: "/containers/{id}/top", handler: top },
  { method: "POST", pattern: "/commit", handler: commit },
];
