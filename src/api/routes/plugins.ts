import { EngineError } from "../../lib/errors.ts";
import { booleanFilter } from "../../lib/wire/filters.ts";
import { listFilters } from "../decode/filters.ts";
import { parseGoInt } from "../decode/query.ts";
import { notBuilt } from "../errors.ts";
import { json } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

/** Managed plugins: there are none. */
const missing: Handler = (call) => {
  throw new EngineError("notFound", `plugin "${call.param("name")}" not found`);
};

const list: Handler = ({ query }) => {
  booleanFilter(listFilters(query.text("filters"), "plugins"), "enabled", false);
  return json([]);
};

const enable: Handler = (call) => {
  parseGoInt(call.query.text("timeout"), "Atoi", "internal");
  return missing(call);
};

const unbuilt =
  (method: string, pattern: string): Handler =>
  () => {
    throw notBuilt(method, pattern);
  };

export const pluginRoutes: readonly Route[] = [
  { method: "GET", pattern: "/plugins", handler: list },
  { method: "GET", pattern: "/plugins/privileges", handler: unbuilt("GET", "/plugins/privileges") },
  { method: "POST", pattern: "/plugins/pull", handler: unbuilt("POST", "/plugins/pull") },
  { method: "POST", pattern: "/plugins/create", handler: unbuilt("POST", "/plugins/create") },
  { method: "GET", pattern: "/plugins/{name}/json", handler: missing },
  { method: "DELETE", pattern: "/plugins/{name}", handler: missing },
  { method: "POST", pattern: "/plugins/{name}/enable", handler: enable },
  { method: "POST", pattern: "/plugins/{name}/disable", handler: missing },
  { method: "POST", pattern: "/plugins/{name}/upgrade", handler: missing },
  { method: "POST", pattern: "/plugins/{name}/push", handler: missing },
  { method: "POST", pattern: "/plugins/{name}/set", handler: missing },
];
