import { type UsageKind, usageKinds } from "../../engine/info/disk-usage.ts";
import { EngineError } from "../../lib/errors.ts";
import { usageFor } from "../compat/system.ts";
import { withAnyVolume } from "../compat/volumes.ts";
import { listFilters } from "../decode/filters.ts";
import { json } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

const containers: Handler = async ({ engine, query }) =>
  json(await engine.prune.containers(listFilters(query.text("filters"), "containersPrune")));

const volumes: Handler = async ({ engine, query, minor }) =>
  json(await engine.prune.volumes(withAnyVolume(listFilters(query.text("filters"), "volumesPrune"), minor)));

const images: Handler = async ({ engine, query }) =>
  json(await engine.prune.images(listFilters(query.text("filters"), "imagesPrune")));

const networks: Handler = async ({ engine, query }) =>
  json(await engine.prune.networks(listFilters(query.text("filters"), "networksPrune")));

const isKind = (text: string): text is UsageKind => usageKinds.some((kind) => kind === text);

const usage: Handler = async ({ engine, query, minor }) => {
  const kinds = new Set<UsageKind>();
  // clients before API 1.42 get all, whatever they ask for
  for (const type of minor < 42 ? [] : query.all("type")) {
    if (!isKind(type)) throw new EngineError("invalid", `unknown object type: ${type}`);
    kinds.add(type);
  }
  return json(usageFor(await engine.diskUsage(kinds), minor));
};

export const pruneRoutes: readonly Route[] = [
  { method: "POST", pattern: "/containers/prune", handler: containers },
  { method: "POST", pattern: "/volumes/prune", handler: volumes },
  { method: "POST", pattern: "/images/prune", handler: images },
  { method: "POST", pattern: "/networks/prune", handler: networks },
  { method: "GET", pattern: "/system/df", handler: usage },
];
