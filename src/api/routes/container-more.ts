import { EngineError } from "../../lib/errors.ts";
import { familiar, parseRepoTag } from "../../lib/reference.ts";
import { created, json } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

const changes: Handler = async (call) => json(await call.engine.containers.changes(call.param("id")));

const top: Handler = async (call) =>
  json(await call.engine.containers.top(call.param("id"), call.query.text("ps_args") || "-ef"));

/** A body with another configuration is what old clients send; the container's own is taken, as with none. */
const commit: Handler = async ({ engine, query }) => {
  const container = query.text("container");
  if (container === "") throw new EngineError("invalid", "No container name or ID supplied");
  const repo = query.text("repo");
  const pause = query.text("pause") === "" || query.flag("pause");
  const Id = await engine.containers.commit(container, {
    ...(repo === "" ? {} : { reference: familiar(parseRepoTag(repo, query.text("tag"))) }),
    author: query.text("author"),
    message: query.text("comment"),
    changes: query.all("changes"),
    pause,
  });
  return created({ Id });
};

export const containerMoreRoutes: readonly Route[] = [
  { method: "GET", pattern: "/containers/{id}/changes", handler: changes },
  { method: "GET", pattern: "/containers/{id}/top", handler: top },
  { method: "POST", pattern: "/commit", handler: commit },
];
