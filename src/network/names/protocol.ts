import type { Asker } from "./resolve.ts";
import type { NamedEndpoint } from "./table.ts";

/** A server that is asked what we do not know. */
export interface Upstream {
  address: string;
  /** whose network it is asked from: the host's (its own servers, loopback's too), or the container's */
  from: "host" | "container";
}

/** A container's network namespace in which the resolver answers. */
export interface ServedSandbox {
  sandboxId: string;
  netnsPath: string;
  asker: Asker;
  /** the user's own servers; empty = the host's, as its resolv.conf has them at the time */
  dns: readonly string[];
}

/** What the main thread asks of the names Worker. */
export interface NamesCalls {
  /** begins to serve; the answer wakes the Worker, which reads no message while it waits for packets */
  open(args: Record<string, never>): { wakeFd: number };
  /** listens in a namespace; again: changes what its questions are answered from */
  serve(sandbox: ServedSandbox): void;
  /** gives up a namespace, which would stay as long as our sockets are in it */
  stop(args: { sandboxId: string }): void;
  announce(args: { endpoints: readonly NamedEndpoint[] }): void;
  withdraw(args: { endpointIds: readonly string[] }): void;
  /** the last call: every socket is closed */
  close(args: Record<string, never>): void;
}
