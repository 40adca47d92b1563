import type { Route } from "../router.ts";
import { buildRoutes } from "./builds/build.ts";
import { buildkitRoutes } from "./builds/buildkit.ts";
import { localBuildRoutes } from "./builds/local-build.ts";
import { commitRoutes } from "./containers/commit.ts";
import { containerArchiveRoutes } from "./containers/container-archive.ts";
import { containerResourceRoutes } from "./containers/container-resources.ts";
import { containerStreamRoutes } from "./containers/container-streams.ts";
import { containerRoutes } from "./containers/containers.ts";
import { execRoutes } from "./containers/exec.ts";
import { imageBeyondRoutes } from "./images/image-beyond.ts";
import { imageRoutes } from "./images/images.ts";
import { registryRoutes } from "./images/registry.ts";
import { networkRoutes } from "./networks.ts";
import { pluginRoutes } from "./plugins.ts";
import { pruneRoutes } from "./prune.ts";
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
