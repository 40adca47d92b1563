import type { WaitCondition } from "../../../containers/contract.ts";
import { EngineError } from "../../../lib/errors.ts";
import { decodeJson } from "../../../lib/go/json/decode.ts";
import type { ContainerCreateRequest } from "../../../types/api.ts";
import type { Call } from "../../call.ts";
import { stopSignal, upgradeCreate } from "../../compat/containers.ts";
import { containerConfigKeys, containerCreate } from "../../decode/bodies.ts";
import { listFilters } from "../../decode/filters.ts";
import { consoleSize } from "../../decode/query.ts";
import { foldPorts } from "../../port-runs/fold.ts";
import { toldContainer, toldList } from "../../port-runs/tell.ts";
import { created, emptyOk, noContent, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

const list: Handler = async ({ engine, query }) => {
  const limit = query.integer("limit");
  return toldList(
    await engine.containers.list({
      all: query.flag("all"),
      size: query.flag("size"),
      why: query.flag("why"),
      filters: listFilters(query.text("filters"), "containers"),
      ...(limit === undefined || limit <= 0 ? {} : { limit }),
    }),
  );
};

const create: Handler = async (call) => {
  const body = await readCreate(call);
  if (!containerConfigKeys.some((key) => key in body))
    throw new EngineError("invalid", "config cannot be empty in order to create a container");
  const name = call.query.text("name");
  const platform = call.minor >= 41 ? call.query.text("platform") : "";
  return created(
    await call.engine.containers.create({
      body: upgradeCreate(body, call.minor),
      ...(name === "" ? {} : { name }),
      ...(platform === "" ? {} : { platform }),
    }),
  );
};

/** The body, its ports folded where they are thousands. */
async function readCreate(call: Call): Promise<ContainerCreateRequest> {
  const text = (await call.jsonText(true)) ?? "";
  const folded = await foldPorts(text);
  const body = decodeJson(folded?.rest ?? text, containerCreate) as ContainerCreateRequest;
  // where the decoder has found an object in their place
  if (folded?.exposed && body.ExposedPorts) body.ExposedPorts = folded.exposed;
  if (folded?.bindings && body.HostConfig?.PortBindings) body.HostConfig.PortBindings = folded.bindings;
  return body;
}

const inspect: Handler = async (call) =>
  toldContainer(
    await call.engine.containers.inspect(call.param("id"), {
      size: call.query.flag("size"),
      why: call.query.flag("why"),
    }),
  );

/**
 * A host configuration at start was taken before API 1.24. What is too short for one is let through, as with Docker: clients
 * send `{}`, `null` or a line's end for nothing.
 */
function refuseStartBody({ headers }: Call): void {
  const length = headers["content-length"];
  if (Number(length ?? 0) > emptyMax || (length === undefined && headers["transfer-encoding"]))
    throw new EngineError(
      "invalid",
      "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
    );
}

const emptyMax = 7;

const start: Handler = async (call) => {
  refuseStartBody(call);
  if (call.query.text("checkpoint") !== "")
    throw new EngineError("invalid", "checkpoint is only supported in experimental mode");
  // our own: a program and its arguments to run this once
  const entrypoint = call.query.all("entrypoint");
  if (entrypoint[0] === "" || entrypoint.some((word) => word.includes("\0")))
    throw new EngineError("invalid", "entrypoint must name a program");
  await call.engine.containers.start(call.param("id"), entrypoint.length > 0 ? { entrypoint } : {});
  return noContent;
};

/** `t` and `signal` of stop and restart. */
function stopOptions({ query, minor }: Call): { signal?: string; timeoutS?: number } {
  const timeoutS = query.integer("t");
  const signal = stopSignal(query.text("signal"), minor);
  return { ...(signal === undefined ? {} : { signal }), ...(timeoutS === undefined ? {} : { timeoutS }) };
}

const stop: Handler = async (call) => {
  await call.engine.containers.stop(call.param("id"), stopOptions(call));
  return noContent;
};

const restart: Handler = async (call) => {
  await call.engine.containers.restart(call.param("id"), stopOptions(call));
  return noContent;
};

const kill: Handler = async (call) => {
  await call.engine.containers.kill(call.param("id"), call.query.text("signal") || "SIGKILL");
  return noContent;
};

const pause: Handler = async (call) => {
  await call.engine.containers.pause(call.param("id"));
  return noContent;
};

const unpause: Handler = async (call) => {
  await call.engine.containers.unpause(call.param("id"));
  return noContent;
};

const rename: Handler = async (call) => {
  await call.engine.containers.rename(call.param("id"), call.query.text("name"));
  return noContent;
};

const remove: Handler = async ({ engine, query, params }) => {
  await engine.containers.remove(params["id"] ?? "", {
    force: query.flag("force"),
    volumes: query.flag("v"),
    link: query.flag("link"),
  });
  return noContent;
};

/** Our own: throws the log away. With `link`, `logs` is the alias of a link, and Docker's call is meant. */
const clearLogs: Handler = async (call) => {
  const id = call.param("id");
  if (call.query.flag("link")) {
    await call.engine.containers.remove(`${id}/logs`, { force: false, volumes: false, link: true });
    return noContent;
  }
  await call.engine.containers.clearLogs(id);
  return noContent;
};

const resize: Handler = async (call) => {
  await call.engine.containers.resize(call.param("id"), consoleSize(call.query));
  return emptyOk;
};

const conditions: readonly string[] = [
  "not-running",
  "next-exit",
  "removed",
  "healthy",
] satisfies WaitCondition[];

const isCondition = (text: string): text is WaitCondition => conditions.includes(text);

/** The container is looked up before the headers go out, its end is told whenever it comes. */
const wait: Handler = (call): Reply => {
  const asked = (call.minor >= 30 && call.query.text("condition")) || "not-running";
  if (!isCondition(asked)) throw new EngineError("invalid", `invalid condition: ${JSON.stringify(asked)}`);
  const { done } = call.engine.containers.wait(call.param("id"), asked, call.signal);
  return { kind: "later", status: 200, value: done };
};

export const containerRoutes: readonly Route[] = [
  { method: "GET", pattern: "/containers/json", handler: list },
  { method: "POST", pattern: "/containers/create", handler: create },
  { method: "GET", pattern: "/containers/{id}/json", handler: inspect },
  { method: "POST", pattern: "/containers/{id}/start", handler: start },
  { method: "POST", pattern: "/containers/{id}/stop", handler: stop },
  { method: "POST", pattern: "/containers/{id}/restart", handler: restart },
  { method: "POST", pattern: "/containers/{id}/kill", handler: kill },
  { method: "POST", pattern: "/containers/{id}/pause", handler: pause },
  { method: "POST", pattern: "/containers/{id}/unpause", handler: unpause },
  { method: "POST", pattern: "/containers/{id}/rename", handler: rename },
  { method: "POST", pattern: "/containers/{id}/resize", handler: resize },
  { method: "POST", pattern: "/containers/{id}/wait", handler: wait },
  { method: "DELETE", pattern: "/containers/{id}/logs", handler: clearLogs },
  { method: "DELETE", pattern: "/containers/{id}", handler: remove },
];
