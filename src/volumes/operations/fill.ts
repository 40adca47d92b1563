import { readdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { assert, EngineError, wrap } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { copyTree } from "../../system/files/tree-copy.ts";
import { removeTree } from "../../system/files/tree-remove.ts";
import type { VolumeCreateRequest } from "../../types/api.ts";
import { fillerPrefix } from "../contract.ts";
import { publish, type VolumeParts } from "../parts.ts";
import { checkOptions, normalise } from "../request.ts";
import type { VolumeRecord } from "../store.ts";

/** Makes a volume whose data `fill` writes: it is there with all of it, or not at all. */
export function createFilled(
  parts: VolumeParts,
  request: VolumeCreateRequest,
  fill: (data: string) => Promise<void>,
): Promise<VolumeRecord> {
  const wanted = normalise(request);
  checkOptions(wanted);
  return parts.queue.run(wanted.name, async () => {
    if (parts.store.get(wanted.name))
      throw new EngineError("conflict", `create ${wanted.name}: there is a volume of that name`);
    await parts.local.create(wanted, fill).catch((error: unknown) => {
      throw wrap(`create ${wanted.name}`, error);
    });
    const volume = parts.store.add(wanted);
    publish(parts, "create", volume);
    return volume;
  });
}

/** What an empty volume is filled from: a folder of a mounted root. `through` is as in the contract. */
export interface FillSource {
  root: string;
  source: string;
  through?: string;
}

/**
 * Fills an empty volume for its holder. A plain folder that nobody uses yet is made full beside the empty one and takes
 * its place at once, so that a crash leaves it empty or full. What is mounted, belongs to a plugin or is in others' hands
 * must stay the folder it is, and is filled in place.
 */
export async function fillEmpty(
  parts: VolumeParts,
  volume: VolumeRecord,
  user: string,
  { through, ...from }: FillSource,
): Promise<void> {
  const { name, driver, options } = volume;
  const target = parts.holders.pathOf(name, user);
  assert(target !== undefined, `volume ${name} is filled while ${user} holds it`);
  // memory is empty at each mount, and stays so: Docker fills it too early for anybody to see
  if (options?.["type"] === "tmpfs") return;
  const plain = driver === "local" && Object.keys(options ?? {}).length === 0;
  const alone = parts.holders.of(name).every((holder) => holder.startsWith(fillerPrefix));
  if (plain && alone && (await replaceEmpty(parts, target, { ...from, ...(through ? { through } : {}) })))
    return;
  await copyTree({ ...from, target: through ?? target });
}

/** False where the folder cannot be replaced: something is mounted there, or a link leads elsewhere. */
async function replaceEmpty(
  { folders }: VolumeParts,
  target: string,
  { through, ...from }: FillSource,
): Promise<boolean> {
  if ((await readdir(target)).length > 0) return true;
  let filled = false;
  const made = await folders.assemble(async (folder) => {
    // the other view has the folders of all volumes under the same names
    const place = through === undefined ? folder : join(dirname(dirname(through)), basename(folder));
    filled = await copyTree({ ...from, target: join(place, "_data") });
  });
  try {
    if (filled) await rename(join(made, "_data"), target);
    return true;
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (code === "ENOTEMPTY" || code === "EEXIST") return true; // somebody wrote into it by its path meanwhile
    if (code === "EBUSY" || code === "ENOTDIR") return false;
    throw error;
  } finally {
    await removeTree(made);
  }
}

/** A copy with the same labels and size limit; blocks are shared where the file system can. */
export async function cloneVolume(parts: VolumeParts, name: string, to: string): Promise<VolumeRecord> {
  const source = ownVolume(parts, name, "clone");
  const size = source.options?.["size"];
  return whileHeld(parts, source, (data) =>
    createFilled(
      parts,
      {
        Name: to,
        ...(source.labels ? { Labels: source.labels } : {}),
        ...(size === undefined ? {} : { DriverOpts: { size } }),
      },
      (target) => copyAll(data, target),
    ),
  );
}

export async function copyAll(from: string, target: string): Promise<void> {
  await copyTree({ root: from, source: "/", target });
}

export function ownVolume(parts: VolumeParts, name: string, doing: string): VolumeRecord {
  const volume = parts.find(name);
  if (volume.driver === "local") return volume;
  throw new EngineError("invalid", `${doing} ${name}: the plugin ${volume.driver} keeps its data`);
}

/** Runs `work` with the volume's data reachable at the path it gets. */
export async function whileHeld<Result>(
  { queue, holders, local, find }: VolumeParts,
  { name }: VolumeRecord,
  work: (data: string) => Promise<Result>,
): Promise<Result> {
  const user = `operation:${newId()}`;
  const data = await queue.run(name, async () => {
    const path = await local.mount(find(name), { first: holders.of(name).length === 0 });
    holders.add(name, user, path);
    return path;
  });
  try {
    return await work(data);
  } finally {
    await queue.run(name, async () => {
      holders.delete(name, user);
      await local.unmount(find(name), { last: holders.of(name).length === 0 });
    });
  }
}
