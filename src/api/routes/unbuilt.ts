import { notBuilt } from "../errors.ts";
import type { Route } from "../router.ts";

/** Endpoints of the API that this engine knows and does not have yet: 501, and the endpoint's name. */
const endpoints: readonly [Route["method"], string][] = [
  ["POST", "/auth"],
  ["GET", "/images/search"],
  ["POST", "/images/{name}/push"],
  ["GET", "/distribution/{name}/json"],
];

/** A container that is not there is told first: it is the truer answer. */
export const unbuiltRoutes: readonly Route[] = endpoints.map(([method, pattern]) => ({
  method,
  pattern,
  handler: async (call) => {
    if (pattern.startsWith("/containers/{id}/"))
      await call.engine.containers.inspect(call.param("id"), { size: false });
    throw notBuilt(method, pattern);
  },
}));
