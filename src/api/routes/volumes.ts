import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Filters } from "../../lib/filters.ts";
import type { VolumeCreateRequest } from "../../types/api.ts";
import { volumeCreate } from "../decode/bodies.ts";
import { listFilters } from "../decode/filters.ts";
import { filterVolumes } from "../filters/volumes.ts";
import { created, json, noContent } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

/** Docker names the volumes where the filter is no filter at all, and only then. */
function volumeFilters(source: string): Filters {
  try {
    return listFilters(source, "volumes");
  } catch (error) {
    if (messageOf(error) !== "invalid filter") throw error;
    throw new EngineError("invalid", "error reading volume filters: invalid filter", { cause: error });
  }
}

const list: Handler = ({ engine, query }) => {
  const filters = volumeFilters(query.text("filters"));
  const used = (name: string): boolean => engine.containers.usersOfVolume(name).length > 0;
  return json({ Volumes: filterVolumes(engine.volumes.list(), filters, used), Warnings: null });
};

const create: Handler = async (call) =>
  created(await call.engine.volumes.create(await call.json<VolumeCreateRequest>(volumeCreate)));

const inspect: Handler = (call) => json(call.engine.volumes.get(call.param("name")));

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
    users: call.engine.containers.usersOfVolume(name),
  });
  return noContent;
};

export const volumeRoutes: readonly Route[] = [
  { method: "GET", pattern: "/volumes", handler: list },
  { method: "POST", pattern: "/volumes/create", handler: create },
  { method: "GET", pattern: "/volumes/{name}", handler: inspect },
  { method: "PUT", pattern: "/volumes/{name}", handler: update },
  { method: "DELETE", pattern: "/volumes/{name}", handler: remove },
];
