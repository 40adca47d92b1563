import type { Containers } from "../containers/contract.ts";
import { isKind } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { Volume } from "../types/api.ts";
import type { VolumeSnapshot, Volumes } from "../volumes/contract.ts";

/** What concerns volumes and the containers that use them together. */
export interface VolumeOperations {
  /** Containers keep it, running ones too. */
  rename(name: string, to: string): Promise<void>;
  /** `pause`: running users stand still meanwhile, so that the copy is of one moment. */
  clone(name: string, to: string, options: { pause: boolean }): Promise<Volume>;
  snapshot(name: string, snapshot: string, options: { pause: boolean }): Promise<VolumeSnapshot>;
  /** All files as a tar. */
  export(name: string): Promise<ReadableStream<Uint8Array>>;
  /** Makes a volume of a tar: whole, or not at all. */
  import(request: ImportRequest): Promise<Volume>;
  usage(): Promise<VolumeUsage[]>;
}

interface ImportRequest {
  name: string;
  labels: Record<string, string>;
  driverOptions: Record<string, string>;
  source: AsyncIterable<Uint8Array>;
  signal: AbortSignal;
}

interface VolumeUsage {
  Name: string;
  Driver: string;
  /** bytes; -1 = not known */
  Size: number;
  /** ids of the containers that name it */
  Users: string[];
  Snapshots: number;
  Pinned: boolean;
}

interface Parts {
  volumes: Volumes;
  containers: Containers;
}

export const volumeOperations = (parts: Parts): VolumeOperations => ({
  rename: (name, to) =>
    parts.volumes.rename(name, to, (path) => parts.containers.renameVolume(name, to, path)),
  clone: (name, to, { pause }) => whilePaused(parts, pause ? name : "", () => parts.volumes.clone(name, to)),
  snapshot: (name, snapshot, { pause }) =>
    whilePaused(parts, pause ? name : "", () => parts.volumes.snapshots.take(name, snapshot)),
  export: (name) => exportVolume(parts, name),
  import: ({ name, labels, driverOptions, source, signal }) =>
    parts.volumes.createFilled({ Name: name, Labels: labels, DriverOpts: driverOptions }, (data) =>
      parts.containers.archive.putFolder(data, source, signal),
    ),
  usage: () => usage(parts),
});

/** Containers that were paused by a user, or end meanwhile, are left as they are. */
async function whilePaused<Result>(
  { containers }: Parts,
  volume: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const paused: string[] = [];
  try {
    for (const id of containers.usersOfVolume(volume)) if (await pause(containers, id)) paused.push(id);
    return await work();
  } finally {
    for (const id of paused)
      await containers.unpause(id).catch((error: unknown) => {
        if (!isKind(error, "conflict") && !isKind(error, "notFound") && !isKind(error, "internal"))
          throw error;
      });
  }
}

async function pause(containers: Containers, id: string): Promise<boolean> {
  try {
    const { State } = await containers.inspect(id, { size: false });
    if (!State.Running || State.Paused) return false;
    await containers.pause(id, { still: true });
    return true;
  } catch (error) {
    // it ended, or was removed, in between
    if (isKind(error, "conflict") || isKind(error, "notFound")) return false;
    throw error;
  }
}

async function exportVolume(
  { volumes, containers }: Parts,
  name: string,
): Promise<ReadableStream<Uint8Array>> {
  const user = `export:${newId()}`;
  const data = await volumes.mount(name, user);
  return containers.archive.getFolder(data, () => void volumes.release(name, user));
}

async function usage({ volumes, containers }: Parts): Promise<VolumeUsage[]> {
  const told: VolumeUsage[] = [];
  for (const { Name, Driver, Pinned } of (await volumes.list()).volumes) {
    const known = volumes.has(Name);
    const own = known && Driver === "local";
    told.push({
      Name,
      Driver,
      Size: own ? await volumes.size(Name) : -1,
      Users: containers.usersOfVolume(Name),
      Snapshots: own ? (await volumes.snapshots.list(Name)).length : 0,
      Pinned: Pinned === true,
    });
  }
  return told;
}
