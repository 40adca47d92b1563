import { EngineError } from "../../lib/errors.ts";
import { parseFilters } from "../../lib/wire/filters.ts";
import { infoFor } from "../compat/system.ts";
import { timestampNs } from "../decode/query.ts";
import { eventLines } from "../events/stream.ts";
import { contentTypes, json } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

const pingHeaders = {
  "Builder-Version": "2",
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
  Swarm: "inactive",
};

const ping: Handler = (call) => ({
  kind: "text",
  status: 200,
  text: call.method === "HEAD" ? "" : "OK",
  contentType: contentTypes.text,
  headers: pingHeaders,
});

const version: Handler = (call) => json(call.engine.version());

const info: Handler = async (call) => json(infoFor(await call.engine.info(), call.minor));

const events: Handler = (call) => {
  const sinceText = call.query.text("since");
  const untilText = call.query.text("until");
  const sinceNs = timestampNs(sinceText);
  const untilNs = timestampNs(untilText);
  if (sinceNs !== undefined && untilNs !== undefined && sinceNs > untilNs)
    throw new EngineError(
      "invalid",
      `\`since\` time (${sinceText}) cannot be after \`until\` time (${untilText})`,
    );
  const filters = parseFilters(call.query.text("filters"));
  return {
    kind: "stream",
    status: 200,
    contentType: contentTypes.json,
    body: eventLines(call.engine.events, { filters, sinceNs, untilNs, imageCreates: call.minor >= 46 }),
  };
};

export const systemRoutes: readonly Route[] = [
  { method: "GET", pattern: "/_ping", handler: ping },
  { method: "HEAD", pattern: "/_ping", handler: ping },
  { method: "GET", pattern: "/version", handler: version },
  { method: "GET", pattern: "/info", handler: info },
  { method: "GET", pattern: "/events", handler: events },
];
