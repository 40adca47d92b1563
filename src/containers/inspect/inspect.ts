import { signalName } from "../../lib/container/signals.ts";
import { formatNs } from "../../lib/time/time.ts";
import type { ContainerConfig, ContainerInspect, ContainerState, NetworkSettings } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { type Context, logPathOf } from "../context.ts";
import { inOrder } from "../create/merge.ts";
import { whyEnded } from "../lifecycle/ended.ts";
import { toldLinks } from "../links/link.ts";
import { portMapOf } from "../list/ports.ts";
import { stateWord } from "../list/status.ts";
import { lastLines } from "../logs/last-lines.ts";
import { endpointsOf } from "../networks/endpoints.ts";
import { nameFilesOf } from "../start/files.ts";
import { joinedContainer } from "../start/join-mode.ts";
import { toldApparmor } from "../start/security.ts";
import { sizesOf } from "./sizes.ts";

/**
 * `GET /containers/{id}/json`, every field in Docker's order. Between the two halves of a restart it waits for the
 * second, as Docker does: who asks on "die" whether the container is gone (`compose up`) learns that it is not.
 */
export async function inspect(
  ctx: Context,
  container: Container,
  { size, why = false }: { size: boolean; why?: boolean },
): Promise<ContainerInspect> {
  if (container.restartingByUser && !container.running) await container.restarted;
  const { id, spec, life } = container;
  const tried = !container.neverStarted || life.error !== "" || container.alive;
  const joined = joinedContainer(spec.hostConfig.NetworkMode);
  const files = nameFilesOf(ctx, joined === undefined ? id : (ctx.store.get(joined)?.id ?? id));
  const sizes = size ? await sizesOf(ctx, container) : undefined;
  const running = [...container.execs].filter((exec) => ctx.execs.get(exec)?.status !== "ended");
  return {
    Id: id,
    Created: formatNs(container.createdAtNs),
    Path: spec.path,
    Args: spec.args,
    State: await stateOf(ctx, container, why),
    Image: container.imageId,
    ResolvConfPath: tried ? files.resolvConf : "",
    HostnamePath: tried ? files.hostname : "",
    HostsPath: tried ? files.hosts : "",
    LogPath: tried && spec.hostConfig.LogConfig.Type === "json-file" ? logPathOf(ctx, id) : "",
    Name: `/${container.name}`,
    RestartCount: life.restartCount,
    Driver: ctx.snapshots.driver,
    Platform: spec.platform,
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: toldApparmor(spec.hostConfig, ctx.runtime.facts.apparmor),
    ExecIDs: running.length === 0 ? null : running,
    HostConfig: { ...spec.hostConfig, Links: toldLinks(ctx, container) },
    GraphDriver: graphDriver(ctx, id),
    ...(sizes ? { SizeRw: sizes.rw, SizeRootFs: sizes.rootFs } : {}),
    Mounts: spec.mounts.map(({ point }) => point),
    Config: toldConfig(container),
    NetworkSettings: networkSettings(ctx, container),
  };
}

function graphDriver(ctx: Context, id: string): ContainerInspect["GraphDriver"] {
  const { Name, Data } = ctx.snapshots.graphDriver(id);
  return { Data: { ID: id, ...Data }, Name };
}

/** Docker tells a chosen MAC address of the container's main network here too, though the field is deprecated. */
function toldConfig({ spec: { config, hostConfig, networks } }: Container): ContainerConfig {
  const mac = networks[hostConfig.NetworkMode]?.MacAddress;
  return mac ? inOrder({ ...config, MacAddress: mac }) : config;
}

async function stateOf(ctx: Context, container: Container, why: boolean): Promise<ContainerState> {
  const { life } = container;
  const status = stateWord(container);
  return {
    Status: status,
    Running: container.running,
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: life.oomKilled,
    Dead: status === "dead",
    Pid: container.alive ? life.pid : 0,
    ExitCode: life.exitCode,
    Error: life.error,
    StartedAt: life.startedAt,
    FinishedAt: life.finishedAt,
    ...(container.health ? { Health: container.health.told() } : {}),
    ...(why ? await toldEnd(ctx, container) : {}),
  };
}

/** Our own addition; a container that has run and does not run now has it, and one that could not start. */
async function toldEnd(ctx: Context, container: Container): Promise<Pick<ContainerState, "Ended">> {
  const why = whyEnded(container);
  if (!why) return {};
  const { ended, reason } = why;
  return {
    Ended: {
      Cause: ended?.cause ?? "start",
      Reason: reason,
      ...(ended?.by ? { By: ended.by } : {}),
      ...(ended?.signals ? { Signals: ended.signals.map(signalName) } : {}),
      ...(ended?.oomKills === undefined ? {} : { OOMKills: ended.oomKills }),
      LastLines: container.neverStarted ? [] : await lastLines(ctx, container),
    },
  };
}

function networkSettings(ctx: Context, container: Container): NetworkSettings {
  const sandbox = container.alive ? container.life.sandbox : undefined;
  const networks = endpointsOf(ctx, container);
  const bridge = sandbox ? networks["bridge"] : undefined;
  return {
    Bridge: "",
    SandboxID: sandbox?.sandboxId ?? "",
    SandboxKey: sandbox?.netnsPath ?? "",
    Ports: portMapOf(container),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks: networks,
  };
}
