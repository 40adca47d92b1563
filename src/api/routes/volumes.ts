import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Filters } from "../../lib/wire/filters.ts";
import type { VolumeCreateRequest } from "../../types/api.ts";
import { volumeCreate } from "../decode/bodies.ts";
import { listFilters } from "../decode/filters.ts";
import { filterVolumes } from "../filters/volumes.ts";
import { created, json, noContent } from "../reply.ts";
import type { Handler, Route } from "../router.ts";
import { notManagerSentence } from "./swarm.ts";

/** Docker names the volumes where the filter is no filter at all, and only then. */
function volumeFilters(source: string): Filters {
  try {
    return listFilters(source, "volumes");
  } catch (error) {
    if (messageOf(error) !== "invalid filter") throw error;
    throw new EngineError("invalid", "error reading volume filters: invalid filter", { cause: error });
  }
}

const list: Handler = async ({ engine, query }) => {
  const filters = volumeFilters(query.text("filters"));
  const used = (name: string): boolean => engine.containers.usersOfVolume(name).length > 0;
  const { volumes, warnings } = await engine.volumes.list();
  return json({
    Volumes: filterVolumes(volumes, filters, used),
    Warnings: warnings.length > 0 ? warnings : null,
  });
};

const create: Handler = async (call) => {
  const body = await call.json<VolumeCreateRequest & { ClusterVolumeSpec?: object }>(volumeCreate);
  if (body.ClusterVolumeSpec) throw new EngineError("unavailable", notManagerSentence);
  return created(await call.engine.volumes.create(body));
};

const inspect: Handler = async (call) => json(await call.engine.volumes.inspect(call.param("name")));

const update: Handler = () => {
  throw new EngineError(
    "unavailable",
    "volume update only valid for cluster volumes, but swarm is unavailable",
  );
};

const remove: Handler = async (call) => {
  const name = call.param("name");
  await call.engine.volumes.remove(name, {
    force: call.query.flag("force"),
    pinned: call.query.flag("pinned"),
    users: call.engine.containers.usersOfVolume(name),
  });
  return noContent;
};

export const volumeRoutes: readonly Route[] = [
  { method: "GET", pattern: "/volumes", handler: list },
  { method: "POST", pattern: "/volumes/create", handler: create },
  { method: "GET", pattern: "/volumes/{name}", handler: inspect },
  { method: "PUT", pattern: "/volumes/{name}", handler: update },
  { method: "DELETE", pattern: "/volumes/", handler: remove },
  { method: "DELETE", pattern: "/volumes/{name}", handler: remove },
];
