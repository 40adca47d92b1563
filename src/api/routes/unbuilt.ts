import { notBuilt } from "../errors.ts";
import type { Route } from "../router.ts";

/** Endpoints of the API that this engine knows and does not have yet: 501, and the endpoint's name. */
const endpoints: readonly [Route["method"], string][] = [
  ["POST", "/auth"],
  ["GET", "/system/df"],
  ["GET", "/containers/{id}/top"],
  ["GET", "/containers/{id}/changes"],
  ["GET", "/containers/{id}/export"],
  ["GET", "/containers/{id}/stats"],
  ["POST", "/containers/{id}/update"],
  ["GET", "/containers/{id}/attach/ws"],
  ["HEAD", "/containers/{id}/archive"],
  ["GET", "/containers/{id}/archive"],
  ["PUT", "/containers/{id}/archive"],
  ["POST", "/containers/prune"],
  ["POST", "/build"],
  ["POST", "/build/prune"],
  ["POST", "/build/cancel"],
  ["POST", "/commit"],
  ["GET", "/images/search"],
  ["GET", "/images/get"],
  ["GET", "/images/{name}/get"],
  ["POST", "/images/{name}/push"],
  ["POST", "/images/prune"],
  ["POST", "/volumes/prune"],
  ["POST", "/networks/create"],
  ["POST", "/networks/{id}/connect"],
  ["POST", "/networks/{id}/disconnect"],
  ["POST", "/networks/prune"],
  ["GET", "/distribution/{name}/json"],
  ["POST", "/session"],
  ["POST", "/grpc"],
];

export const unbuiltRoutes: readonly Route[] = endpoints.map(([method, pattern]) => ({
  method,
  pattern,
  handler: () => {
    throw notBuilt(method, pattern);
  },
}));
