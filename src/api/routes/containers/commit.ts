import { EngineError } from "../../../lib/errors.ts";
import { familiar, parseRepoTag } from "../../../lib/image/reference.ts";
import type { ContainerConfig } from "../../../types/api.ts";
import { containerCreate } from "../../decode/bodies.ts";
import { created } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

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

export const commitRoutes: readonly Route[] = [{ method: "POST", pattern: "/commit", handler: commit }];
