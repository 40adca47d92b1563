import { EngineError } from "../lib/errors.ts";
import { type IdMap, mappedRoot, type Owner } from "../lib/users/id-map.ts";
import type { HostConfig } from "../types/api.ts";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";

/** Who a container's users are on the host (`userns-remap`); undefined = the same: it is in the host's user namespace. */
export function remapOf(
  { config }: Pick<Context, "config">,
  { alive, life, spec }: Container,
): IdMap | undefined {
  // one that runs was started with the map of its time
  if (alive) return life.remap;
  return spec.hostConfig.UsernsMode === "host" ? undefined : config.remap;
}

const hostRoot: Owner = { uid: 0, gid: 0 };

/** The container's root as the host sees it: the owner of what the engine makes in a container. */
export function rootOwner(ctx: Pick<Context, "config">, container: Container): Owner {
  const remap = remapOf(ctx, container);
  return remap === undefined ? hostRoot : mappedRoot(remap);
}

/** What means the host's own namespaces or all its rights cannot be had from a user namespace: Docker's sentences. */
export function refuseRemapped({ config }: Pick<Context, "config">, host: HostConfig): void {
  if (config.remap === undefined || host.UsernsMode === "host") return;
  if (host.Privileged)
    throw new EngineError(
      "invalid",
      "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
    );
  if (host.NetworkMode === "host")
    throw new EngineError(
      "invalid",
      "cannot share the host's network namespace when user namespaces are enabled",
    );
  if (host.PidMode === "host")
    throw new EngineError("invalid", "cannot share the host PID namespace when user namespaces are enabled");
}
