import { EngineError } from "../../lib/errors.ts";
import { setApart } from "../../lib/net/port-runs.ts";
import { parsePort } from "../../lib/net/ports.ts";
import { Undo } from "../../lib/undo.ts";
import type { HostConfig, MountRequest, PortMap } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import type { ContainerSpec } from "../contract.ts";
import { readHostConfig } from "../create/body.ts";
import { makeVolumes } from "../create/create.ts";
import { refuseMountsOfDataRoot } from "../create/data-root.ts";
import { list, object, text } from "../create/decode.ts";
import { planMounts } from "../create/mounts.ts";
import { restart } from "../lifecycle/restart.ts";
import { portRequests } from "../networks/request.ts";
import { withVariables } from "../start/environment.ts";

const strings = list(text);
const names = object(
  { PortsRemove: strings, EnvAdd: strings, EnvRemove: strings, MountsRemove: strings },
  "Change",
);

/** What `update` adds and takes away beside limits. */
interface Change {
  portsAdd: PortMap;
  /** `80/tcp` */
  portsRemove: string[];
  envAdd: string[];
  envRemove: string[];
  mountsAdd: MountRequest[];
  /** paths in the container */
  mountsRemove: string[];
}

function readChange(body: unknown): Change {
  const read = names(body, "");
  // ports and mounts to add are written as in a create
  const host = readHostConfig((body as { HostConfig?: unknown }).HostConfig, ".HostConfig");
  const envAdd = read.EnvAdd ?? [];
  for (const one of envAdd)
    if (!/^[^=]+=/.test(one) || one.includes("\0"))
      throw new EngineError("invalid", `invalid environment variable: ${one}`);
  const mountsAdd = host.Mounts ?? [];
  if (mountsAdd.some(({ Type }) => Type === "image"))
    throw new EngineError("notImplemented", "adding a mount of an image to a container is not built yet");
  return {
    portsAdd: host.PortBindings ?? {},
    portsRemove: (read.PortsRemove ?? []).map(portName),
    envAdd,
    envRemove: read.EnvRemove ?? [],
    mountsAdd,
    mountsRemove: read.MountsRemove ?? [],
  };
}

function portName(spec: string): string {
  const port = parsePort(spec);
  if (!port || port.first !== port.last)
    throw new EngineError("invalid", `invalid port specification: "${spec}"`);
  return `${port.first}/${port.protocol}`;
}

/**
 * `POST /containers/{id}/reconfigure`, our own: published ports of a running container change at once; variables and
 * mounts by a restart on the same writable layer, where it runs, else with the next start.
 */
export async function reconfigure(
  ctx: Context,
  container: Container,
  reference: string,
  body: unknown,
): Promise<{ Restarted: boolean }> {
  const change = readChange(body);
  const restarts = await container.lock.run(() => apply(ctx, container, change));
  if (restarts) await restart(ctx, container, reference, {});
  return { Restarted: restarts };
}

async function apply(ctx: Context, container: Container, change: Change): Promise<boolean> {
  if (container.removing || ctx.store.get(container.id) !== container)
    throw new EngineError("conflict", "container is marked for removal and cannot be changed");
  const undo = new Undo();
  const before = container.spec;
  try {
    const spec = withEnvironment(withPorts(before, change), change);
    const changed = await withMounts(ctx, spec, change, undo);
    if (container.alive) await publish(ctx, container, change);
    container.spec = changed;
    ctx.store.saveSpec(container);
  } catch (error) {
    container.spec = before;
    await undo.run((sentence) => ctx.logger.warn(sentence, { container: container.id }));
    throw error;
  }
  tell(ctx, container, "update");
  const { envAdd, envRemove, mountsAdd, mountsRemove } = change;
  return container.alive && envAdd.length + envRemove.length + mountsAdd.length + mountsRemove.length > 0;
}

function withPorts(spec: ContainerSpec, { portsAdd, portsRemove }: Change): ContainerSpec {
  if (Object.keys(portsAdd).length === 0 && portsRemove.length === 0) return spec;
  const bindings = [...portsRemove, ...Object.keys(portsAdd)].reduce(
    setApart,
    spec.hostConfig.PortBindings ?? {},
  );
  for (const port of portsRemove)
    if (!bindings[port]) throw new EngineError("notFound", `port ${port} is not published`);
  const kept = Object.entries(bindings).filter(([port]) => !portsRemove.includes(port));
  const all: PortMap = Object.fromEntries(kept);
  for (const [port, added] of Object.entries(portsAdd)) all[port] = [...(all[port] ?? []), ...(added ?? [])];
  const exposed = Object.fromEntries(Object.keys(portsAdd).map((port) => [port, {}]));
  return {
    ...spec,
    config: { ...spec.config, ExposedPorts: { ...spec.config.ExposedPorts, ...exposed } },
    hostConfig: { ...spec.hostConfig, PortBindings: all },
  };
}

function withEnvironment(spec: ContainerSpec, { envAdd, envRemove }: Change): ContainerSpec {
  if (envAdd.length === 0 && envRemove.length === 0) return spec;
  const bare = envRemove.map((name) => name.split("=", 1)[0] ?? "");
  return {
    ...spec,
    config: { ...spec.config, Env: withVariables(spec.config.Env ?? [], [...bare, ...envAdd]) },
  };
}

/** A volume that is no longer mounted stays; an anonymous one then has to be removed by its name. */
async function withMounts(
  ctx: Context,
  spec: ContainerSpec,
  { mountsAdd, mountsRemove }: Change,
  undo: Undo,
): Promise<ContainerSpec> {
  const { hostConfig } = spec;
  const tmpfs = { ...hostConfig.Tmpfs };
  for (const target of mountsRemove) {
    const known = spec.mounts.some(({ point }) => point.Destination === target) || target in tmpfs;
    if (!known) throw new EngineError("notFound", `nothing is mounted at ${target}`);
    delete tmpfs[target];
  }
  const stays = (target: string): boolean => !mountsRemove.includes(target);
  const kept = spec.mounts.filter(({ point }) => stays(point.Destination));
  const planned = planMounts({
    config: { ...spec.config, Volumes: null },
    hostConfig: { ...hostConfig, Binds: null, VolumesFrom: null, Mounts: mountsAdd, Tmpfs: tmpfs },
    donor: () => ({ mounts: [] }),
    image: (reference) => ctx.images.resolve(reference),
    dataRoot: ctx.config.dataRoot,
  });
  for (const { mount } of planned)
    if (kept.some(({ point }) => point.Destination === mount.point.Destination))
      throw new EngineError("invalid", `Duplicate mount point: ${mount.point.Destination}`);
  await makeVolumes(ctx, planned, undo);
  await refuseMountsOfDataRoot(ctx, hostConfig, planned);
  return {
    ...spec,
    mounts: [...kept, ...planned.map(({ mount }) => mount)],
    hostConfig: {
      ...hostConfig,
      Binds: hostConfig.Binds?.filter((bind) => stays(bind.split(":")[1] ?? bind)) ?? null,
      ...(hostConfig.Mounts || mountsAdd.length > 0
        ? { Mounts: [...(hostConfig.Mounts ?? []).filter(({ Target }) => stays(Target)), ...mountsAdd] }
        : {}),
      ...(hostConfig.Tmpfs ? { Tmpfs: tmpfs } : {}),
    },
  };
}

/** What is added is published first: where that fails, nothing has changed. */
async function publish(ctx: Context, container: Container, { portsAdd, portsRemove }: Change): Promise<void> {
  const add = portRequests(container.spec.config, only(container.spec.hostConfig, portsAdd));
  if (add.length === 0 && portsRemove.length === 0) return;
  const { sandbox } = container.life;
  if (!sandbox)
    throw new EngineError(
      "conflict",
      `container ${container.name} has no network of its own to publish ports of`,
    );
  const remove = portsRemove
    .flatMap((spec) => parsePort(spec) ?? [])
    .map(({ first, protocol }) => ({
      port: first,
      protocol,
    }));
  const ports = await ctx.networks.republish({
    containerId: container.id,
    containerName: container.name,
    add,
    remove,
  });
  container.life = { ...container.life, sandbox: { ...sandbox, ports } };
  ctx.store.saveLife(container);
}

const only = (host: HostConfig, PortBindings: PortMap): HostConfig => ({
  ...host,
  PublishAllPorts: false,
  PortBindings,
});
