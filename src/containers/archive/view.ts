import { existsSync } from "node:fs";
import { newId } from "../../lib/ids.ts";
import type { ViewMount } from "../../system/files/root-view.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { remapOf } from "../remap.ts";
import { holdRoot } from "../root.ts";
import { nameFilesOf } from "../start/files.ts";
import type { Keep } from "../start/mounts/staging.ts";
import {
  type Preparation,
  prepareMounts,
  releaseVolumes,
  tellMounted,
  tellUnmounted,
} from "../start/mounts/volumes.ts";
import { isOutdated, refuseOutdated } from "./outdated-map.ts";
import type { ExtractRequest, ViewRequest } from "./worker-calls.ts";

/** What is copied, and whether out of the container. */
interface Copying {
  path: string;
  reading: boolean;
}

export interface HeldView {
  view: ViewRequest;
  /** volumes and binds as a copy into the container asks about them */
  volumes: ExtractRequest["volumes"];
  /** lets the container's root go; to be called once */
  release(): void;
}

/**
 * What a container's files are to a copy, as Docker has it, running or not: its root, over it its volumes and binds and
 * the three name files; neither tmpfs nor /proc, /sys and /dev. Volumes and sources that are missing are made, as a
 * start would. Only the preparation holds the container's lock: a slow client must not keep anybody from stopping it.
 */
export async function holdView(
  ctx: Context,
  container: Container,
  { mounts = true, copying }: { mounts?: boolean; copying?: Copying } = {},
): Promise<HeldView> {
  const letGo = ctx.archives.hold();
  try {
    return await container.lock.run(async () => {
      ctx.store.find(container.id); // it may be gone by now
      const remap = remapOf(ctx, container);
      const { root, release: letRootGo } = await holdRoot(ctx, container);
      const held = [letRootGo];
      const release = (): void => {
        for (const close of held.splice(0)) close();
      };
      try {
        const keep: Keep = (close) => held.push(close);
        const over = mounts
          ? await mountsOf(ctx, container, { root, keep, user: holdVolumes(ctx, container, keep) }, copying)
          : [];
        if (mounts) tellMounted(ctx, container);
        return {
          view: {
            root,
            mounts: over,
            readOnly: container.spec.hostConfig.ReadonlyRootfs,
            ...(remap === undefined ? {} : { remap }),
          },
          volumes: over.map(({ destination, readOnly }) => ({ destination, writable: !readOnly })),
          release: () => {
            release();
            letGo();
          },
        };
      } catch (error) {
        release();
        throw error;
      }
    });
  } catch (error) {
    letGo();
    throw error;
  }
}

/** A name for this copy to hold volumes by; they are let go, and told so, with the rest. */
function holdVolumes(ctx: Context, container: Container, keep: Keep): string {
  const user = `copy:${newId()}`;
  keep(() => {
    tellUnmounted(ctx, container);
    ctx.background.run("volumes of a copy", () => releaseVolumes(ctx, user));
  });
  return user;
}

async function mountsOf(
  ctx: Context,
  container: Container,
  preparation: Preparation,
  copying: Copying | undefined,
): Promise<ViewMount[]> {
  const prepared = await prepareMounts(ctx, container, preparation);
  const mounts = prepared.flatMap(({ type, source, destination, options }) =>
    type === "bind" && source !== undefined
      ? [{ source, destination, readOnly: options.includes("ro"), recursive: !options.includes("bind") }]
      : [],
  );
  const shifted = new Set(
    container.spec.mounts.flatMap(({ point }) => (point.Type === "bind" ? [] : [point.Destination])),
  );
  const taken = new Set(prepared.map(({ destination }) => destination));
  const { hosts, hostname, resolvConf } = nameFilesOf(ctx, container.id);
  const own = { "/etc/hosts": hosts, "/etc/hostname": hostname, "/etc/resolv.conf": resolvConf };
  for (const [destination, source] of Object.entries(own))
    if (!taken.has(destination) && existsSync(source))
      mounts.push({
        source: (remapOf(ctx, container) && ctx.snapshots.remappedPath(source)) ?? source,
        destination,
        readOnly: container.spec.hostConfig.ReadonlyRootfs,
        recursive: false,
      });
  if (!isOutdated(ctx, container)) return mounts;
  const foreign = (mount: ViewMount): boolean => shifted.has(mount.destination) || mount.destination in own;
  if (copying) refuseOutdated(container, copying.path, mounts.filter(foreign), copying);
  // a link may lead there all the same
  return mounts.map((mount) => (foreign(mount) ? { ...mount, readOnly: true } : mount));
}
