import { platformOf } from "../../../images/platform.ts";
import { EngineError } from "../../../lib/errors.ts";
import type { Call } from "../../call.ts";
import { inspectFor, summaryFor } from "../../compat/images.ts";
import { listFilters } from "../../decode/filters.ts";
import { emptyOk, htmlSafeJson, json, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";
import { createImage } from "./image-create.ts";
import { loadImages } from "./image-load.ts";
import { joinReference } from "./join-reference.ts";

const list: Handler = ({ engine, query, minor }) => {
  const filters = listFilters(query.text("filters"), "images");
  const images = engine.images.list(
    { all: query.flag("all"), filters, sharedSize: query.flag("shared-size") },
    (id) => engine.containers.usersOfImage(id).length,
  );
  return json(images.map((image) => summaryFor(image, minor)));
};

const inspect: Handler = (call) => {
  const { engine, query, minor } = call;
  const platform = query.text("platform");
  platformOf(platform); // what is wrong with it is told first
  if (platform !== "" && query.flag("manifests"))
    throw new EngineError(
      "invalid",
      "conflicting options: manifests and platform options cannot both be set",
    );
  return htmlSafeJson(inspectFor(engine.images.inspect(call.param("name"), platform), minor));
};

const history: Handler = (call) =>
  json(call.engine.images.history(call.param("name"), call.query.text("platform")));

/** Without a repository there is nothing to do, and Docker says so with an empty 200. */
const tag: Handler = (call): Reply => {
  const reference = joinReference(call.query.text("repo"), call.query.text("tag"));
  if (reference === undefined) return emptyOk;
  call.engine.images.tag(call.param("name"), reference);
  return { kind: "empty", status: 201 };
};

const remove: Handler = async (call) =>
  json(
    await call.engine.images.remove(call.param("name"), {
      force: call.query.flag("force"),
      prune: !call.query.flag("noprune"),
      platforms: call.query.all("platforms"),
      users: (id) => call.engine.containers.usersOfImage(id),
    }),
  );

const unnamed: Handler = () => {
  throw new EngineError("invalid", "image name cannot be blank");
};

async function saved(call: Call, names: readonly string[]): Promise<Reply> {
  const platform = call.query.text("platform");
  const without = call.query.all("without");
  const body = await call.engine.images.save({ names, without, ...(platform === "" ? {} : { platform }) });
  return { kind: "stream", status: 200, contentType: "application/x-tar", body };
}

/** Both `names=a&names=b` and nothing at all are allowed: the archive then holds no image. */
const saveNamed: Handler = (call) => saved(call, call.query.all("names"));
const saveOne: Handler = (call) => saved(call, [call.param("name")]);

export const imageRoutes: readonly Route[] = [
  { method: "GET", pattern: "/images/json", handler: list },
  { method: "POST", pattern: "/images/create", handler: createImage },
  { method: "POST", pattern: "/images/load", handler: loadImages },
  { method: "GET", pattern: "/images/get", handler: saveNamed },
  { method: "GET", pattern: "/images/{name}/json", handler: inspect },
  { method: "GET", pattern: "/images/{name}/history", handler: history },
  { method: "GET", pattern: "/images/{name}/get", handler: saveOne },
  { method: "POST", pattern: "/images/{name}/tag", handler: tag },
  { method: "DELETE", pattern: "/images/{name}", handler: remove },
  { method: "DELETE", pattern: "/images/", handler: unnamed },
];
