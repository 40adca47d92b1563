import { EngineError } from "../../lib/errors.ts";
import { parseFilters } from "../../lib/wire/filters.ts";
import type { Handler, Route } from "../router.ts";

export const notManagerSentence =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** What Docker answers outside of a swarm; this engine is never in one. */
const notManager: Handler = () => {
  throw new EngineError("unavailable", notManagerSentence);
};

/** Docker reads what it is asked before it says that there is no swarm. */
const refusedUpdate =
  (noun: string): Handler =>
  (call) => {
    const text = call.query.text("version");
    const why = `: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
    if (!/^\d+$/.test(text))
      throw new EngineError(
        "invalid",
        noun === "secret" || noun === "config"
          ? `invalid ${noun} version`
          : `invalid ${noun} version '${text}'${why}`,
      );
    return notManager(call);
  };

const refusedList: Handler = (call) => {
  parseFilters(call.query.text("filters"));
  return notManager(call);
};

const refusedLogs: Handler = (call) => {
  if (!call.query.flag("stdout") && !call.query.flag("stderr"))
    throw new EngineError("internal", "Bad parameters: you must choose at least one stream");
  return notManager(call);
};

const notMember: Handler = () => {
  throw new EngineError("unavailable", "This node is not part of a swarm");
};

const noSwarm: Handler = () => {
  throw new EngineError("notImplemented", "berth has no swarm mode");
};

/** `POST /containers/x/checkpoints` and its kin: an experimental feature, off. */
const experimental: Handler = () => {
  throw new EngineError(
    "notImplemented",
    "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.",
  );
};

const managed = (noun: "service" | "secret" | "config"): Route[] => [
  { method: "GET", pattern: `/${noun}s`, handler: refusedList },
  { method: "POST", pattern: `/${noun}s/create`, handler: notManager },
  { method: "GET", pattern: `/${noun}s/{id:segment}`, handler: notManager },
  { method: "DELETE", pattern: `/${noun}s/{id:segment}`, handler: notManager },
  { method: "POST", pattern: `/${noun}s/{id:segment}/update`, handler: refusedUpdate(noun) },
];

export const swarmRoutes: readonly Route[] = [
  { method: "POST", pattern: "/swarm/init", handler: noSwarm },
  { method: "POST", pattern: "/swarm/join", handler: noSwarm },
  { method: "POST", pattern: "/swarm/leave", handler: notMember },
  { method: "GET", pattern: "/swarm", handler: notManager },
  { method: "POST", pattern: "/swarm/update", handler: refusedUpdate("swarm") },
  { method: "GET", pattern: "/swarm/unlockkey", handler: notManager },
  { method: "POST", pattern: "/swarm/unlock", handler: notManager },
  { method: "GET", pattern: "/nodes", handler: refusedList },
  { method: "GET", pattern: "/nodes/{id:segment}", handler: notManager },
  { method: "DELETE", pattern: "/nodes/{id:segment}", handler: notManager },
  { method: "POST", pattern: "/nodes/{id:segment}/update", handler: refusedUpdate("node") },
  { method: "GET", pattern: "/services/{id:segment}/logs", handler: refusedLogs },
  ...managed("service"),
  ...managed("secret"),
  ...managed("config"),
  { method: "GET", pattern: "/tasks/{id:segment}/logs", handler: refusedLogs },
  { method: "GET", pattern: "/tasks", handler: refusedList },
  { method: "GET", pattern: "/tasks/{id:segment}", handler: notManager },
  { method: "GET", pattern: "/containers/{id}/checkpoints", handler: experimental },
  { method: "POST", pattern: "/containers/{id}/checkpoints", handler: experimental },
  { method: "DELETE", pattern: "/containers/{id}/checkpoints/{checkpoint}", handler: experimental },
];
