import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { EngineError } from "../lib/errors.ts";
import { type IdMap, mappedRoot, type Owner, seenAs } from "../lib/users/id-map.ts";
import { mountMapped } from "../system/mount/mapped-mount.ts";
import { unmount } from "../system/mount/mount.ts";
import type { Paths } from "./paths.ts";

/**
 * The data root once more, at `<data root>/remapped`, its owners shown as remapped containers have them: uid 0 on the
 * disk is their root on the host. Overlays of folders of it, and binds of them, show those owners; what is written
 * through them is on the disk as every other container would have written it, so that layers and snapshots are the same
 * for both. It is one mount for all containers (mount_setattr(2), MOUNT_ATTR_IDMAP).
 */
export interface RemappedRoot {
  /** Where a file of the data root is there; undefined where something else is mounted over it, or it is not there. */
  pathOf(path: string): string | undefined;
  /** Lets the containers' root pass through a folder of the engine's. */
  admit(folder: string): void;
  close(): void;
}

/**
 * Who the engine itself is on the disk when it makes a file through the mount, before it gives it an owner: the kernel
 * refuses makers that a map lacks. No container has this id.
 */
const engineOnDisk = 0xfffffff0;
/** what the group of admitted folders is through the mount, where it must be something */
const admittedSeen = 0xfffffff0;

function withEngine({ uids, gids }: IdMap, { gid }: Owner): IdMap {
  const engine = { disk: engineOnDisk, seen: 0, count: 1 };
  const admitted = seenAs(gids, gid) === undefined ? [{ disk: gid, seen: admittedSeen, count: 1 }] : [];
  return { uids: [...uids, engine], gids: [...gids, engine, ...admitted] };
}

export async function openRemappedRoot(
  paths: Paths,
  configuredRoot: string,
  map: IdMap | undefined,
): Promise<RemappedRoot | undefined> {
  const dataRoot = dirname(paths.layers);
  const place = join(dataRoot, "remapped");
  while (unmount(place)); // of an earlier run, with another map perhaps
  if (map === undefined) return undefined;
  const owner = mappedRoot(map);
  const admit = (folder: string): void => {
    chownSync(folder, 0, owner.gid);
    // the group passes and does nothing else, whatever an administrator gave the folder's former group
    const { mode } = statSync(folder);
    if ((mode & 0o070) !== 0o010) chmodSync(folder, (mode & 0o7707) | 0o010);
  };
  for (const folder of [dataRoot, paths.snapshots]) admit(folder);
  for (let folder = dirname(dataRoot); ; folder = dirname(folder)) {
    refuseClosed(folder, owner.gid);
    if (folder === "/") break;
  }
  mkdirSync(place, { recursive: true, mode: 0o700 });
  await mountMapped(dataRoot, place, withEngine(map, owner), { recursive: false });
  return {
    pathOf: (path) => {
      // the configured path may be a link to the real one
      const root = [dataRoot, configuredRoot].find((each) => path.startsWith(`${each}/`));
      const shown = root === undefined ? undefined : place + path.slice(root.length);
      return shown !== undefined && isSame(path, shown) ? shown : undefined;
    },
    admit,
    close: () => {
      unmount(place);
    },
  };
}

function isSame(path: string, shown: string): boolean {
  const [one, other] = [path, shown].map((each) => statSync(each, { throwIfNoEntry: false }));
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}

function refuseClosed(folder: string, gid: number): void {
  const status = statSync(folder);
  if ((status.mode & 0o001) !== 0 || (status.gid === gid && (status.mode & 0o010) !== 0)) return;
  throw new EngineError(
    "invalid",
    `userns-remap: the data root lies in ${folder}, which containers' root may not enter; allow it with chmod o+x ${folder}`,
  );
}
