import type { Duplex } from "node:stream";
import type { SessionHello } from "./session/session.ts";

/**
 * BuildKit's front door: what `docker build` and buildx speak. A client opens connections of two kinds, each by an HTTP
 * request that asks to upgrade: on the one it calls (`/grpc`), on the other it is called (`/session`: its files, secrets,
 * credentials, agents and outputs).
 *
 * `Control.Solve` is one build: a Dockerfile fetched from the session becomes a `BuildRequest` of `build/contract.ts`;
 * `Control.Status` streams its events. The call's end, or the session's, ends the build.
 */
export interface Buildkit {
  /** Serves gRPC on an open connection. */
  serve(socket: Duplex): void;
  /** Takes a client's session; throws `conflict` for an id in use. */
  addSession(hello: SessionHello, socket: Duplex): void;
  close(): void;
}
