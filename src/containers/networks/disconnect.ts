import { EngineError, isKind } from "../../lib/errors.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { changeHosts } from "../start/files.ts";
import { adoptState } from "./connect.ts";
import { networkIdentity, tellNetwork } from "./request.ts";

/** `POST /networks/{id}/disconnect` */
export async function disconnect(
  ctx: Context,
  container: Container,
  network: string,
  force: boolean,
): Promise<void> {
  await container.lock.run(async () => {
    if (!container.alive || (force && !ctx.networks.lookUp(network)))
      return disconnectStopped(ctx, container, network);
    await disconnectLive(ctx, container, network);
  });
}

/** With `force`, Docker tells of a container that is gone as of the network's endpoint. */
export function findOrRefuse(ctx: Context, idOrName: string, network: string): Container {
  try {
    return ctx.store.find(idOrName);
  } catch (error) {
    if (!isKind(error, "notFound")) throw error;
    ctx.networks.get(network);
    throw new EngineError("notFound", `endpoint ${idOrName} not found`, { cause: error });
  }
}

function disconnectStopped(ctx: Context, container: Container, network: string): void {
  const name = ctx.networks.lookUp(network)?.Name ?? network;
  if (!(name in container.spec.networks))
    throw new EngineError("internal", `container ${container.id} is not connected to the network ${network}`);
  const networks = without(container.spec.networks, name);
  const known = without(container.life.networks ?? {}, name);
  ctx.store.change(container, {
    spec: { ...container.spec, networks },
    life: { ...container.life, networks: known },
  });
}

async function disconnectLive(ctx: Context, container: Container, network: string): Promise<void> {
  const { Id: id, Name: name, Driver } = ctx.networks.get(network);
  if (Driver === "host" && container.spec.hostConfig.NetworkMode === "host")
    throw new EngineError(
      "invalid",
      "cannot disconnect container from host network - container was created in host network mode",
    );
  const { spec, life } = container;
  const { sandbox } = life;
  const left = sandbox?.endpoints[name];
  if (!sandbox || !left)
    throw new EngineError("internal", `container ${container.id} is not connected to network ${network}`);
  const networks = without(spec.networks, name);
  // recorded first: an engine that dies in the middle is followed by one that finishes it
  const endpoints = without(sandbox.endpoints, name) as Record<string, EndpointSettings>;
  adoptState(ctx, container, networks, { ...sandbox, endpoints });
  try {
    const state = await ctx.networks.disconnect({ ...networkIdentity(ctx, container), network });
    adoptState(ctx, container, networks, state);
  } catch (error) {
    ctx.store.change(container, { spec, life });
    throw error;
  }
  await changeHosts(ctx, container, { left });
  tellNetwork(ctx, container, { name, id }, "disconnect");
}

const without = <T>(record: Record<string, T>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
