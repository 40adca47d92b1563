import type { IncomingHttpHeaders } from "node:http";
import type { Engine } from "../engine/contract.ts";
import { EngineError, messageOf } from "../lib/errors.ts";
import { isClientLeft } from "./body.ts";
import { Call } from "./call.ts";
import { errorBody, pageNotFound, statusOf } from "./errors.ts";
import { contentTypes, type Reply } from "./reply.ts";
import { ClientTooOld, minorVersion, parseTarget, type Router } from "./router.ts";

/** A request as it came, before its path and version are read. */
export interface RawRequest {
  method: string;
  /** path and query */
  url: string;
  headers: IncomingHttpHeaders;
  body: AsyncIterable<Uint8Array>;
  /** aborts when the client is gone; made on first use */
  signal: () => AbortSignal;
  /** by a unix socket */
  local: boolean;
}

/** The reply to a request; every failure becomes one. */
export async function answer(engine: Engine, router: Router, request: RawRequest): Promise<Reply> {
  try {
    return await dispatch(engine, router, request);
  } catch (error) {
    if (isFault(error) && !isGone(error, request)) logFault(engine, request, error);
    return failure(error);
  }
}

function dispatch(engine: Engine, router: Router, request: RawRequest): Promise<Reply> | Reply {
  const target = parseTarget(request.url);
  if (!target) return { kind: "text", status: 400, text: "400 Bad Request", contentType: contentTypes.text };
  if (target.clean !== undefined) return redirect(target.clean, target.search);
  if (request.method === "OPTIONS") {
    minorVersion(target.version);
    return { kind: "empty", status: 200 };
  }
  const match = router.match(request.method, target.path);
  if (!match) return { kind: "json", status: 404, value: errorBody(pageNotFound()), bare: true };
  const call = new Call({
    engine,
    method: request.method,
    path: target.path,
    search: target.search,
    minor: minorVersion(target.version),
    headers: request.headers,
    body: request.body,
    signal: request.signal,
    local: request.local,
    params: match.params,
  });
  return match.route.handler(call);
}

function redirect(path: string, search: string): Reply {
  const location = encodeURI(path) + (search === "" ? "" : `?${search}`);
  return { kind: "empty", status: 301, headers: { Location: location }, bare: true };
}

function failure(error: unknown): Reply {
  const status = statusOf(error);
  if (status === 304) return { kind: "empty", status };
  if (error instanceof ClientTooOld)
    return { kind: "text", status, text: `${error.message}\n`, contentType: contentTypes.text };
  return { kind: "json", status, value: errorBody(error) };
}

/** What the engine's log should know: faults of ours or of the host, not refusals. */
const isFault = (error: unknown): boolean => !(error instanceof EngineError) || error.kind === "internal";

/** What a client that hung up has stopped is no fault. */
const isGone = (error: unknown, { signal }: RawRequest): boolean =>
  isClientLeft(error) || (error instanceof Error && error.name === "AbortError" && signal().aborted);

/** Where an error arose helps with bugs of ours; what the kernel says (a full disk) tells it by itself. */
function logFault(engine: Engine, { method, url }: RawRequest, error: unknown): void {
  const isBug = error instanceof Error && !(error instanceof EngineError) && !("code" in error);
  const stack = isBug ? error.stack : undefined;
  engine.logger.error("request failed", { method, url, error: messageOf(error), stack });
}
