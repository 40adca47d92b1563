import { EngineError, messageOf } from "../../../lib/errors.ts";
import { hijackContentType, streamContentType } from "../../compat/streams.ts";
import { timestampNs } from "../../decode/query.ts";
import { statusOf } from "../../errors.ts";
import { contentTypes, type Reply } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";
import { refuseForeignOrigin, websocketKey } from "../../websocket/serve.ts";

/** Docker has taken the connection over before it looks: a refusal is plain text. */
const attach: Handler = async (call): Promise<Reply> => {
  const { query } = call;
  const detachKeys = query.text("detachKeys");
  try {
    const session = await call.engine.containers.attach(call.param("id"), {
      stdin: query.flag("stdin"),
      stdout: query.flag("stdout"),
      stderr: query.flag("stderr"),
      stream: query.flag("stream"),
      logs: query.flag("logs"),
      ...(detachKeys === "" ? {} : { detachKeys }),
    });
    return {
      kind: "hijack",
      contentType: hijackContentType(call.minor, session.terminal, call.upgrades),
      session,
    };
  } catch (error) {
    return {
      kind: "rawError",
      status: statusOf(error),
      contentType: contentTypes.raw,
      message: messageOf(error),
    };
  }
};

/** Streams as they are, without heads. Before API 1.42 all three were taken whatever was asked. */
const attachWebsocket: Handler = async (call): Promise<Reply> => {
  const { query, headers } = call;
  await call.engine.containers.inspect(call.param("id"), { size: false });
  const key = websocketKey(headers);
  refuseForeignOrigin(headers);
  const detachKeys = query.text("detachKeys");
  const asked = (stream: string): boolean => call.minor < 42 || query.flag(stream);
  const session = await call.engine.containers.attach(call.param("id"), {
    stdin: asked("stdin"),
    stdout: asked("stdout"),
    stderr: asked("stderr"),
    stream: query.flag("stream"),
    logs: query.flag("logs"),
    ...(detachKeys === "" ? {} : { detachKeys }),
  });
  return { kind: "websocket", key, session };
};

/** `all`, a number, or nonsense, which Docker reads as all. */
function tailOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

const logs: Handler = (call): Reply => {
  const { query } = call;
  const stdout = query.flag("stdout");
  const stderr = query.flag("stderr");
  if (!stdout && !stderr)
    throw new EngineError("invalid", "Bad parameters: you must choose at least one stream");
  const tail = tailOf(query.text("tail"));
  const sinceNs = timestampNs(query.text("since"));
  const untilNs = timestampNs(query.text("until"));
  const { terminal, output } = call.engine.containers.logs(call.param("id"), {
    stdout,
    stderr,
    follow: query.flag("follow"),
    timestamps: query.flag("timestamps"),
    details: query.flag("details"),
    signal: call.signal,
    ...(tail === undefined ? {} : { tail }),
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined || untilNs === 0n ? {} : { untilNs }),
  });
  return { kind: "stream", status: 200, contentType: streamContentType(call.minor, terminal), body: output };
};

export const containerStreamRoutes: readonly Route[] = [
  { method: "POST", pattern: "/containers/{id}/attach", handler: attach },
  { method: "GET", pattern: "/containers/{id}/attach/ws", handler: attachWebsocket },
  { method: "GET", pattern: "/containers/{id}/logs", handler: logs },
];
