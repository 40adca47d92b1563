import { EngineError, wrap } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { copyTree } from "../../system/files/tree-copy.ts";
import type { VolumeCreateRequest } from "../../types/api.ts";
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
