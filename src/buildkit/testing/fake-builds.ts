import type { BuildEvent, BuildRequest, BuildResult, Builds } from "../../build/contract.ts";
import { AsyncQueue } from "../grpc/queue.ts";

/** A build as a test plays it: tells events, reads what it wants of the request, gives the response. */
export type Script = (
  request: BuildRequest,
  tell: (event: BuildEvent) => void,
) => Promise<BuildResult["response"]>;

/** Builds that run a script instead of a Dockerfile. */
export function fakeBuilds(script: Script, parts: Partial<Builds> = {}): Builds {
  return {
    build: (request) => {
      const events = new AsyncQueue<BuildEvent>();
      const result = script(request, (event) => events.push(event))
        .then((response) => ({ images: [], response }))
        .finally(() => events.end());
      return { ref: request.ref ?? "fake", events, result };
    },
    check: async () => [],
    outline: async () => ({ name: "", description: "", args: [], secrets: [], ssh: [] }),
    targets: async () => [],
    unpack: async () => ({ root: "/nonexistent", close: async () => undefined }),
    fetchContext: async () => ({ root: "/nonexistent", close: async () => undefined }),
    history: () => [],
    logs: () => Promise.resolve([]),
    forget: () => false,
    cacheUsage: () => [],
    pruneCache: async () => ({ deleted: [], bytes: 0 }),
    ...parts,
  };
}
