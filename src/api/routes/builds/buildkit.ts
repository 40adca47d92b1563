import { EngineError } from "../../../lib/errors.ts";
import type { Call } from "../../call.ts";
import type { Reply } from "../../reply.ts";
import type { Route } from "../../router.ts";

/** BuildKit's connections: HTTP/2 with prior knowledge on what was an HTTP/1.1 request. */
const protocol = "h2c";

/** The engine serves: `docker build`, buildx. */
async function grpc(call: Call): Promise<Reply> {
  checkUpgrade(call, "internal");
  const buildkit = await call.engine.buildkit();
  return { kind: "upgrade", protocol, take: (socket) => buildkit.serve(socket) };
}

/** The client serves: its files, secrets, credentials. */
async function session(call: Call): Promise<Reply> {
  checkUpgrade(call, "invalid");
  const id = header(call, "x-docker-expose-session-uuid");
  if (id === "") throw new EngineError("invalid", "the session has no id");
  const buildkit = await call.engine.buildkit();
  const methods = header(call, "x-docker-expose-session-grpc-method").split(/,\s*/);
  const sharedKey = header(call, "x-docker-expose-session-sharedkey");
  return {
    kind: "upgrade",
    protocol,
    take: (socket) => buildkit.addSession({ id, sharedKey, methods: new Set(methods) }, socket),
  };
}

const header = (call: Call, name: string): string => {
  const value = call.headers[name];
  return (Array.isArray(value) ? value.join(",") : value) ?? "";
};

/** Docker answers 500 on one of these paths and 400 on the other. */
function checkUpgrade(call: Call, kind: "internal" | "invalid"): void {
  const asked = header(call, "upgrade");
  if (asked === "") throw new EngineError(kind, "no upgrade proto in request");
  if (asked !== protocol) throw new EngineError(kind, `protocol ${asked} not supported`);
}

export const buildkitRoutes: readonly Route[] = [
  { method: "POST", pattern: "/grpc", handler: grpc },
  { method: "POST", pattern: "/session", handler: session },
];
