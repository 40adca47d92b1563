import type { PathStat } from "../../../containers/contract.ts";
import { EngineError } from "../../../lib/errors.ts";
import { stringify } from "../../../lib/wire/json.ts";
import type { Call } from "../../call.ts";
import { localCopy } from "../../decode/bodies.ts";
import { emptyOk, type Headers, json } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";

/** The path a request is about. Docker's own words run together where it is missing. */
function pathOf(call: Call): string {
  const path = call.query.text("path");
  if (path === "") throw new EngineError("invalid", "bad parameter: pathcannot be empty");
  if (path.includes("\0")) throw new EngineError("internal", `lstat /${path}: invalid argument`);
  return path;
}

const statHeader = (stat: PathStat): Headers => ({
  "X-Docker-Container-Path-Stat": Buffer.from(stringify(stat)).toString("base64"),
});

const head: Handler = async (call) => {
  const stat = await call.engine.containers.archive.stat(call.param("id"), pathOf(call));
  return { kind: "empty", status: 200, headers: statHeader(stat) };
};

const get: Handler = async (call) => {
  const { stat, tar } = await call.engine.containers.archive.get(call.param("id"), pathOf(call));
  return {
    kind: "stream",
    status: 200,
    contentType: "application/x-tar",
    body: tar,
    headers: statHeader(stat),
  };
};

/** A body that says it is a form is read as one by Docker's parser, and the archive it leaves is empty. */
const isForm = ({ headers }: Call): boolean =>
  (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ===
  "application/x-www-form-urlencoded";

const nothing: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

const put: Handler = async (call) => {
  await call.engine.containers.archive.put(call.param("id"), {
    path: pathOf(call),
    noOverwriteDirNonDir: call.query.flag("noOverwriteDirNonDir"),
    copyUidGid: call.query.flag("copyUIDGID"),
    source: isForm(call) ? nothing : call.body,
    signal: call.signal,
  });
  return emptyOk;
};

interface LocalCopy {
  Path?: string;
  Source?: string;
  Name?: string;
  DeviceMajor?: number;
  DeviceMinor?: number;
  /** decimal: it may pass what a JSON number holds */
  Inode?: string;
  /** the caller's, as /proc/self/ns/mnt tells it */
  MountNamespace?: string;
  NoOverwriteDirNonDir?: boolean;
  CopyUIDGID?: boolean;
}

/** Our own: what `PUT …/archive` does, of a file or folder that the engine reads itself. */
const copyLocal: Handler = async (call) => {
  const body = await call.json<LocalCopy>(localCopy);
  const { Path: path = "", Source: source = "", Name: name = "", Inode: inode = "" } = body;
  if (path === "" || !source.startsWith("/") || name === "" || !/^\d{1,20}$/.test(inode))
    throw new EngineError("invalid", "a copy needs Path, an absolute Source, its Name and its Inode");
  const { bytes } = await call.engine.containers.archive.copyLocal(call.param("id"), {
    path,
    noOverwriteDirNonDir: body.NoOverwriteDirNonDir ?? false,
    copyUidGid: body.CopyUIDGID ?? false,
    source: {
      path: source,
      name,
      device: { major: body.DeviceMajor ?? 0, minor: body.DeviceMinor ?? 0 },
      inode: BigInt(inode),
      mountNamespace: body.MountNamespace ?? "",
    },
    signal: call.signal,
  });
  return json({ Bytes: bytes });
};

const exportRoot: Handler = async (call) => ({
  kind: "stream",
  status: 200,
  contentType: "application/octet-stream",
  body: await call.engine.containers.export(call.param("id")),
});

const changes: Handler = async (call) => json(await call.engine.containers.changes(call.param("id")));

export const containerArchiveRoutes: readonly Route[] = [
  { method: "HEAD", pattern: "/containers/{id}/archive", handler: head },
  { method: "GET", pattern: "/containers/{id}/archive", handler: get },
  { method: "PUT", pattern: "/containers/{id}/archive", handler: put },
  { method: "POST", pattern: "/berth/containers/{id}/copy", handler: copyLocal },
  { method: "GET", pattern: "/containers/{id}/export", handler: exportRoot },
  { method: "GET", pattern: "/containers/{id}/changes", handler: changes },
];
