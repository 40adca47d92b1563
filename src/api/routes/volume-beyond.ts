import { EngineError } from "../../lib/errors.ts";
import type { Call } from "../call.ts";
import { created, json, noContent } from "../reply.ts";
import type { Handler, Route } from "../router.ts";

const wanted = (call: Call, parameter: string): string => {
  const text = call.query.text(parameter);
  if (text === "") throw new EngineError("invalid", `the parameter ${parameter} is missing`);
  return text;
};

const pauses = (call: Call): boolean => call.query.text("pause") === "" || call.query.flag("pause");

const rename: Handler = async (call) => {
  await call.engine.volumeOperations.rename(call.param("name"), wanted(call, "name"));
  return noContent;
};

const clone: Handler = async (call) =>
  created(
    await call.engine.volumeOperations.clone(call.param("name"), wanted(call, "name"), {
      pause: pauses(call),
    }),
  );

const pinned =
  (pin: boolean): Handler =>
  (call) => {
    call.engine.volumes.pin(call.param("name"), pin);
    return noContent;
  };

const takeSnapshot: Handler = async (call) =>
  created(
    await call.engine.volumeOperations.snapshot(call.param("name"), call.query.text("name"), {
      pause: pauses(call),
    }),
  );

const listSnapshots: Handler = async (call) =>
  json(await call.engine.volumes.snapshots.list(call.param("name")));

const restore: Handler = async (call) => {
  await call.engine.volumes.snapshots.restore(call.param("name"), call.param("snapshot"));
  return noContent;
};

const removeSnapshot: Handler = async (call) => {
  await call.engine.volumes.snapshots.remove(call.param("name"), call.param("snapshot"));
  return noContent;
};

const exportData: Handler = async (call) => ({
  kind: "stream",
  status: 200,
  contentType: "application/x-tar",
  body: await call.engine.volumeOperations.export(call.param("name")),
});

const importData: Handler = async (call) => {
  const pairs = (parameter: string): Record<string, string> =>
    Object.fromEntries(
      call.query.all(parameter).map((text) => {
        const at = text.indexOf("=");
        return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
      }),
    );
  return created(
    await call.engine.volumeOperations.import({
      name: call.param("name"),
      labels: pairs("label"),
      driverOptions: pairs("opt"),
      source: call.body,
      signal: call.signal,
    }),
  );
};

const usage: Handler = async (call) => json(await call.engine.volumeOperations.usage());

/** What our volumes can beside Docker's. They come before `/volumes/{name}`, whose parameter takes slashes too. */
export const volumeBeyondRoutes: readonly Route[] = [
  { method: "GET", pattern: "/system/df/volumes", handler: usage },
  { method: "POST", pattern: "/volumes/{name}/rename", handler: rename },
  { method: "POST", pattern: "/volumes/{name}/clone", handler: clone },
  { method: "POST", pattern: "/volumes/{name}/pin", handler: pinned(true) },
  { method: "POST", pattern: "/volumes/{name}/unpin", handler: pinned(false) },
  { method: "GET", pattern: "/volumes/{name}/snapshots", handler: listSnapshots },
  { method: "POST", pattern: "/volumes/{name}/snapshots", handler: takeSnapshot },
  { method: "DELETE", pattern: "/volumes/{name}/snapshots/{snapshot}", handler: removeSnapshot },
  { method: "POST", pattern: "/volumes/{name}/snapshots/{snapshot}/restore", handler: restore },
  { method: "GET", pattern: "/volumes/{name}/archive", handler: exportData },
  { method: "PUT", pattern: "/volumes/{name}/archive", handler: importData },
];
