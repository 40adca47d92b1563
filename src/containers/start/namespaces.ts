import { EngineError, wrap } from "../../lib/errors.ts";
import type { NamespaceKind } from "../../runtime/contract.ts";
import type { NamespaceInput, NamespacesInput } from "../../runtime/spec/input.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { stateWord } from "../list/status.ts";
import { joinedContainer } from "./join-mode.ts";

/** The container that a mode joins. Docker answers these with 4xx and the client with 125. */
function donorOf(ctx: Context, idOrName: string, joining: string): Container {
  if (idOrName === "") throw new EngineError("invalid", `${joining}invalid name or ID supplied: ""`);
  const donor = ctx.store.lookUp(idOrName);
  if (!donor) throw new EngineError("invalid", `${joining}No such container: ${idOrName}`);
  return donor;
}

/** Whose network a container shares; throws where that one does not run. */
export function networkDonor(ctx: Context, container: Container): Container | undefined {
  const joined = joinedContainer(container.spec.hostConfig.NetworkMode);
  if (joined === undefined) return undefined;
  const donor = donorOf(ctx, joined, "joining network namespace of container: ");
  if (!donor.alive)
    throw new EngineError(
      "conflict",
      `cannot join network namespace of a non running container: container ${donor.name} is ${stateWord(donor)}`,
    );
  return donor;
}

export function ipcDonor(ctx: Context, container: Container): Container | undefined {
  const joined = joinedContainer(container.spec.hostConfig.IpcMode);
  if (joined === undefined) return undefined;
  const donor = donorOf(ctx, joined, "failed to join IPC namespace: ");
  if (!donor.alive)
    throw new EngineError("conflict", `failed to join IPC namespace: container ${donor.id} is not running`);
  if (donor.spec.hostConfig.IpcMode !== "shareable")
    throw new EngineError(
      "invalid",
      `failed to join IPC namespace: container ${donor.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  return donor;
}

export function pidDonor(ctx: Context, container: Container): Container | undefined {
  const joined = joinedContainer(container.spec.hostConfig.PidMode);
  if (joined === undefined) return undefined;
  const donor = donorOf(ctx, joined, "failed to join PID namespace: ");
  if (!donor.alive)
    throw new EngineError("conflict", `failed to join PID namespace: container ${donor.id} is not running`);
  return donor;
}

/** Paths of others' namespaces that a container joins. */
export type JoinedNamespaces = Partial<Record<NamespaceKind, string>>;

/** Holds them until the runtime has joined: `keep` takes what lets go of each. */
export function joinNamespaces(
  ctx: Context,
  container: Container,
  keep: (close: () => void) => void,
): JoinedNamespaces {
  const hold = (donor: Container, kind: NamespaceKind, failure: string): string => {
    try {
      const { path, close } = ctx.runtime.holdNamespace(donor.id, kind);
      keep(close);
      return path;
    } catch (error) {
      throw wrap(failure, error);
    }
  };
  const network = networkDonor(ctx, container);
  const ipc = ipcDonor(ctx, container);
  const pid = pidDonor(ctx, container);
  return {
    ...(network
      ? {
          net:
            network.life.sandbox?.netnsPath ?? hold(network, "net", "joining network namespace of container"),
          ...(container.spec.hostConfig.UTSMode === "host"
            ? {}
            : { uts: hold(network, "uts", "joining network namespace of container") }),
        }
      : {}),
    ...(ipc ? { ipc: hold(ipc, "ipc", "failed to join IPC namespace") } : {}),
    ...(pid ? { pid: hold(pid, "pid", "failed to join PID namespace") } : {}),
  };
}

/** Every namespace decided; `netnsPath` is the sandbox's where the container has one of its own. */
export function namespacesOf(
  { spec: { hostConfig } }: Container,
  joined: JoinedNamespaces,
  netnsPath: string | undefined,
): NamespacesInput {
  const decide = (kind: NamespaceKind, mode: string): NamespaceInput => {
    if (mode === "host") return "host";
    const path = joined[kind];
    return path === undefined ? "private" : { path };
  };
  const network = joined.net ?? netnsPath;
  return {
    network: network === undefined ? "host" : { path: network },
    pid: decide("pid", hostConfig.PidMode),
    ipc: decide("ipc", hostConfig.IpcMode),
    uts: decide("uts", hostConfig.UTSMode),
    cgroup: hostConfig.CgroupnsMode === "private" ? "private" : "host",
  };
}
