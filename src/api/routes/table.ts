import type { Route } from "../router.ts";
import { buildRoutes } from "./build.ts";
import { buildkitRoutes } from "./buildkit.ts";
import { commitRoutes } from "./commit.ts";
import { containerArchiveRoutes } from "./container-archive.ts";
import { containerResourceRoutes } from "./container-resources.ts";
import { containerStreamRoutes } from "./container-streams.ts";
import { containerRoutes } from "./containers.ts";
import { execRoutes } from "./exec.ts";
import { imageBeyondRoutes } from "./image-beyond.ts";
import { imageRoutes } from "./images.ts";
import { localBuildRoutes } from "./local-build.ts";
import { networkRoutes } from "./networks.ts";
import { pluginRoutes } from "./plugins.ts";
import { pruneRoutes } from "./prune.ts";
import { registryRoutes } from "./registry.ts";
import { swarmRoutes } from "./swarm.ts";
import { systemRoutes } from "./system.ts";
import { volumeBeyondRoutes } from "./volume-beyond.ts";
import { volumeRoutes } from "./volumes.ts";

/** Every route of the API. The first that matches wins; fixed paths win over those with parameters. */
export const routes: readonly Route[] = [
  ...systemRoutes,
  ...containerRoutes,
  ...containerArchiveRoutes,
  ...commitRoutes,
  ...containerResourceRoutes,
  ...containerStreamRoutes,
  ...execRoutes,
  ...registryRoutes,
  ...imageRoutes,
  ...imageBeyondRoutes,
  ...buildRoutes,
  ...volumeBeyondRoutes,
  ...localBuildRoutes,
  ...volumeRoutes,
  ...networkRoutes,
  ...pruneRoutes,
  ...swarmRoutes,
  ...pluginRoutes,
  ...buildkitRoutes,
];
