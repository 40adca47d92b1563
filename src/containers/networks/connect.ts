import { EngineError } from "../../lib/errors.ts";
import type { SandboxState } from "../../network/contract.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { changeHosts, changeResolvConf, inUserNetwork } from "../start/files.ts";
import { joinedContainer } from "../start/join-mode.ts";
import { knownNetworks } from "./endpoints.ts";
import { networkIdentity, tellNetwork } from "./request.ts";

const sharing =
  "container sharing network namespace with another container or host cannot be connected to any other network";
const noneMode =
  "container cannot be connected to multiple networks with one of the networks in private (none) mode";

/** `POST /networks/{id}/connect`: at once where the container runs, else when it starts. */
export async function connect(
  ctx: Context,
  container: Container,
  network: string,
  endpoint: Partial<EndpointSettings>,
): Promise<void> {
  await container.lock.run(async () => {
    refuse(ctx, container, network);
    const name = ctx.networks.lookUp(network)?.Name ?? network;
    const asked = { ...endpoint };
    if (container.alive) await connectLive(ctx, container, { name, network, asked });
    else connectLater(ctx, container, { name, network, asked });
  });
}

interface Connection {
  /** the network's name where it is known */
  name: string;
  /** as the user called it */
  network: string;
  asked: Partial<EndpointSettings>;
}

export const hostNetworkSentence =
  "cannot connect container to host network - container must be created in host network mode";

function refuse(ctx: Context, container: Container, network: string): void {
  const mode = container.spec.hostConfig.NetworkMode;
  if (mode === "host" || joinedContainer(mode) !== undefined) throw new EngineError("invalid", sharing);
  const { removing, life } = container;
  if (removing || life.status === "removing" || life.status === "dead")
    throw new EngineError(
      "conflict",
      "container is marked for removal and cannot be connected or disconnected to the network",
    );
  const driver = ctx.networks.lookUp(network)?.Driver;
  if (driver === "host") throw new EngineError("invalid", hostNetworkSentence);
  const others = Object.keys(container.spec.networks);
  if (others.includes("none") || (network === "none" && others.length > 0))
    throw new EngineError("invalid", noneMode);
}

function connectLater(ctx: Context, container: Container, { name, network, asked }: Connection): void {
  ctx.networks.checkEndpoint(network, asked);
  const identity = networkIdentity(ctx, container);
  const dnsNames = ctx.networks.dnsNames({ ...identity, network, asked });
  const networks = { ...container.life.networks, [name]: { id: "", dnsNames } };
  ctx.store.change(container, {
    spec: { ...container.spec, networks: { ...container.spec.networks, [name]: asked } },
    life: { ...container.life, networks },
  });
}

async function connectLive(
  ctx: Context,
  container: Container,
  { network, asked }: Connection,
): Promise<void> {
  const state = await ctx.networks.connect({ ...networkIdentity(ctx, container), network, asked });
  const id = ctx.networks.get(network).Id;
  const [name = network, joined] =
    Object.entries(state.endpoints).find(([, one]) => one.NetworkID === id) ?? [];
  const networks = { ...container.spec.networks, [name]: asked };
  const resolved = inUserNetwork(container);
  adoptState(ctx, container, networks, state);
  if (!resolved && inUserNetwork(container)) await changeResolvConf(ctx, container);
  if (joined) await changeHosts(ctx, container, { joined });
  tellNetwork(ctx, container, { name, id }, "connect");
}

/** Spec and life change in one step with the sandbox: a crash before it is undone by the next engine. */
export function adoptState(
  ctx: Context,
  container: Container,
  networks: Record<string, Partial<EndpointSettings>>,
  state: SandboxState,
): void {
  ctx.store.change(container, {
    spec: { ...container.spec, networks },
    life: { ...container.life, sandbox: state, networks: knownNetworks(state) },
  });
}
