import { readlinkSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import {
  openNetworkNamespaceOf,
  openUserNamespace,
  ownUserNamespace,
} from "../../system/namespaces/user-namespace.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { remapOf } from "../remap.ts";
import { joinedContainer } from "./join-mode.ts";
import { ipcDonor, networkDonor, pidDonor } from "./namespaces.ts";

/** Paths of a remapped container's namespaces, held until the runtime has joined them. */
interface OwnNamespaces {
  user: string;
  /** undefined where it joins another container's */
  network: string | undefined;
}

/**
 * The user namespace of a remapped container, and its network namespace, which must belong to it: else its root could
 * not see to its interfaces, and the kernel would mount no /sys. Who shares another container's network, IPC or processes
 * is in that one's user namespace, as in Docker.
 */
export async function openOwnNamespaces(
  ctx: Context,
  container: Container,
  keep: (close: () => void) => void,
): Promise<OwnNamespaces | undefined> {
  const map = remapOf(ctx, container);
  if (map === undefined) return undefined;
  const path = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;
  const ownNetwork = joinedContainer(container.spec.hostConfig.NetworkMode) === undefined;
  const donor = networkDonor(ctx, container) ?? ipcDonor(ctx, container) ?? pidDonor(ctx, container);
  if (donor === undefined) {
    const opened = await openUserNamespace(map, { network: true });
    keep(opened.close);
    return {
      user: path(opened.user),
      network: opened.network === undefined ? undefined : path(opened.network),
    };
  }
  const user = ctx.runtime.holdNamespace(donor.id, "user");
  keep(user.close);
  if (readlinkSync(user.path) === ownUserNamespace())
    throw new EngineError(
      "invalid",
      `container ${donor.name} is in the host's user namespace: only containers with --userns host can join its namespaces`,
    );
  if (!ownNetwork) return { user: user.path, network: undefined };
  const opened = await openNetworkNamespaceOf(user.path);
  keep(opened.close);
  return {
    user: user.path,
    network: opened.network === undefined ? undefined : path(opened.network),
  };
}
