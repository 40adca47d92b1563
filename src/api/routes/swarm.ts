import { EngineError } from "../../lib/errors.ts";
import type { Handler, Route } from "../router.ts";

export const notManagerSentence =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** What Docker answers outside of a swarm; this engine is never in one. */
const notManager: Handler = () => {
  throw new EngineError("unavailable", notManagerSentence);
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

const managed = (noun: string): Route[] => [
  { method: "GET", pattern: `/${noun}`, handler: notManager },
  { method: "POST", pattern: `/${noun}/create`, handler: notManager },
  { method: "GET", pattern: `/${noun}/{id}`, handler: notManager },
  { method: "DELETE", pattern: `/${noun}/{id}`, handler: notManager },
  { method: "POST", pattern: `/${noun}/{id}/update`, handler: notManager },
];

export const swarmRoutes: readonly Route[] = [
  { method: "POST", pattern: "/swarm/init", handler: noSwarm },
  { method: "POST", pattern: "/swarm/join", handler: noSwarm },
  { method: "POST", pattern: "/swarm/leave", handler: notMember },
  { method: "GET", pattern: "/swarm", handler: notManager },
  { method: "POST", pattern: "/swarm/update", handler: notManager },
  { method: "GET", pattern: "/swarm/unlockkey", handler: notManager },
  { method: "POST", pattern: "/swarm/unlock", handler: notManager },
  { method: "GET", pattern: "/nodes", handler: notManager },
  { method: "GET", pattern: "/nodes/{id}", handler: notManager },
  { method: "DELETE", pattern: "/nodes/{id}", handler: notManager },
  { method: "POST", pattern: "/nodes/{id}/update", handler: notManager },
  ...managed("services"),
  ...managed("secrets"),
  ...managed("configs"),
  { method: "GET", pattern: "/tasks", handler: notManager },
  { method: "GET", pattern: "/tasks/{id}", handler: notManager },
  { method: "GET", pattern: "/containers/{id}/checkpoints", handler: experimental },
  { method: "POST", pattern: "/containers/{id}/checkpoints", handler: experimental },
  { method: "DELETE", pattern: "/containers/{id}/checkpoints/{checkpoint}", handler: experimental },
];
