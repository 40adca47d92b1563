import { EngineError } from "../../lib/errors.ts";
import type { NamespaceInput, NamespacesInput } from "../../runtime/spec/input.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { stateWord } from "../list/status.ts";

export const joinedContainer = (mode: string): string | undefined =>
  mode.startsWith("container:") ? mode.slice("container:".length) : undefined;

/** The container that a mode joins. Docker answers these with 4xx and the client with 125. */
function donorOf(ctx: Context, idOrName: string, joining: string): Container {
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

function pidNamespace(ctx: Context, container: Container): NamespaceInput {
  const mode = container.spec.hostConfig.PidMode;
  if (mode === "host") return "host";
  const joined = joinedContainer(mode);
  if (joined === undefined) return "private";
  const donor = donorOf(ctx, joined, "");
  if (!donor.alive)
    throw new EngineError("conflict", `failed to join PID namespace: container ${donor.id} is not running`);
  return { path: `/proc/${donor.life.pid}/ns/pid` };
}

/** Every namespace decided; `netnsPath` is the sandbox's where the container has one of its own. */
export function namespacesOf(
  ctx: Context,
  container: Container,
  netnsPath: string | undefined,
): NamespacesInput {
  const { hostConfig } = container.spec;
  const donor = networkDonor(ctx, container);
  const shared = ipcDonor(ctx, container);
  const network: NamespaceInput = donor
    ? { path: donor.life.sandbox?.netnsPath ?? `/proc/${donor.life.pid}/ns/net` }
    : netnsPath === undefined
      ? "host"
      : { path: netnsPath };
  const uts: NamespaceInput =
    hostConfig.UTSMode === "host" ? "host" : donor ? { path: `/proc/${donor.life.pid}/ns/uts` } : "private";
  return {
    network,
    pid: pidNamespace(ctx, container),
    ipc:
      hostConfig.IpcMode === "host"
        ? "host"
        : shared
          ? { path: `/proc/${shared.life.pid}/ns/ipc` }
          : "private",
    uts,
    cgroup: hostConfig.CgroupnsMode === "private" ? "private" : "host",
  };
}
