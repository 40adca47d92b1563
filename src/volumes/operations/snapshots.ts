import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import { exchange } from "../../system/files/exchange.ts";
import { removeTree } from "../../system/files/tree-remove.ts";
import type { VolumeSnapshot } from "../contract.ts";
import { imageFile } from "../local/image.ts";
import { publish, type VolumeParts } from "../parts.ts";
import type { VolumeRecord } from "../store.ts";
import { copyAll, ownVolume, whileHeld } from "./fill.ts";

/**
 * States of a volume that are kept beside it, `<volume>/snapshots/<name>/_data`: one is there once its folder is renamed
 * into place, so folders are all the record there is. They go with their volume.
 */
const folderName = "snapshots";
const snapshotName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** Without a name it is called by its moment: `20261122T091500Z`. */
export async function takeSnapshot(
  parts: VolumeParts,
  name: string,
  wanted: string,
): Promise<VolumeSnapshot> {
  const volume = ownVolume(parts, name, "snapshot");
  const snapshot = wanted || formatNs(nowNs()).replaceAll(/[-:]|\.\d+/g, "");
  if (!snapshotName.test(snapshot))
    throw new EngineError(
      "invalid",
      `snapshot ${name}: ${JSON.stringify(snapshot)} is no name for a snapshot`,
    );
  return whileHeld(parts, volume, async (data) => {
    const place = placeOf(parts, volume, snapshot);
    if (await isThere(place)) throw new EngineError("conflict", `volume ${name} has a snapshot ${snapshot}`);
    await mkdir(join(parts.folders.of(name), folderName), { recursive: true, mode: 0o701 });
    await parts.folders.assemble(async (folder) => copyAll(data, join(folder, "_data")), place);
    publish(parts, "snapshot", volume, { snapshot });
    return told(place, snapshot);
  });
}

export async function listSnapshots(parts: VolumeParts, name: string): Promise<VolumeSnapshot[]> {
  const volume = ownVolume(parts, name, "snapshots of");
  const names = await readdir(join(parts.folders.of(name), folderName)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return []; // none was ever taken
      throw error;
    },
  );
  const found = names.filter((one) => snapshotName.test(one)).sort();
  return Promise.all(found.map((one) => told(placeOf(parts, volume, one), one)));
}

/** Puts a volume's data back; what was in it since is gone. Nothing may use the volume. */
export function restoreSnapshot(parts: VolumeParts, name: string, snapshot: string): Promise<void> {
  return parts.queue.run(name, async () => {
    const volume = ownVolume(parts, name, "restore");
    const place = await find(parts, volume, snapshot);
    const holders = parts.holders.of(name);
    if (holders.length > 0)
      throw new EngineError(
        "conflict",
        `restore ${name}: the volume is in use - [${holders.join(", ")}]: stop what uses it first`,
      );
    const limited = volume.options?.["size"] !== undefined;
    const part = limited ? imageFile : "_data";
    const made = await parts.local.assemble(volume, (target) => copyAll(join(place, "_data"), target));
    exchange(join(made, part), join(parts.folders.of(name), part));
    publish(parts, "restore", volume, { snapshot });
    await removeTree(made);
  });
}

export function dropSnapshot(parts: VolumeParts, name: string, snapshot: string): Promise<void> {
  return parts.queue.run(name, async () => {
    const volume = ownVolume(parts, name, "remove a snapshot of");
    const place = await find(parts, volume, snapshot);
    const away = parts.folders.temporary();
    await rename(place, away);
    await removeTree(away);
  });
}

const placeOf = ({ folders }: VolumeParts, { name }: VolumeRecord, snapshot: string): string =>
  join(folders.of(name), folderName, snapshot);

async function find(parts: VolumeParts, volume: VolumeRecord, snapshot: string): Promise<string> {
  const place = placeOf(parts, volume, snapshot);
  if (snapshotName.test(snapshot) && (await isThere(place))) return place;
  throw new EngineError("notFound", `volume ${volume.name} has no snapshot ${snapshot}`);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false, // that is the answer
  );

/** The folder itself was last changed when it was made. */
async function told(place: string, snapshot: string): Promise<VolumeSnapshot> {
  const { mtime } = await stat(place);
  return { Name: snapshot, CreatedAt: mtime.toISOString() };
}
