import { stat } from "node:fs/promises";
import { join } from "node:path";
import { wrap } from "../../lib/errors.ts";
import { unmount } from "../../system/mount/mount.ts";
import { mountPoints } from "../../system/mount/mount-table.ts";
import type { VolumeDriver } from "../driver.ts";
import type { NewVolume, VolumeRecord } from "../store.ts";
import { immediate, mountDevice } from "./device.ts";
import type { VolumeFolders } from "./folders.ts";
import { dropLostAndFound, imageFile, makeImage } from "./image.ts";
import { localOptions } from "./options.ts";
import { MountWorker } from "./worker.ts";

export type Fill = (data: string) => Promise<void>;

/** Volumes on this machine: a folder each, over which what its options ask for is mounted while somebody uses it. */
export class LocalDriver implements VolumeDriver {
  private readonly folders: VolumeFolders;
  private readonly worker = new MountWorker();

  constructor(folders: VolumeFolders) {
    this.folders = folders;
  }

  async create(volume: NewVolume, fill?: Fill): Promise<void> {
    await this.assemble(volume, fill, this.folders.of(volume.name));
  }

  /** What a volume with these options is on disk, filled, at `target` or under a temporary name, which it answers. */
  assemble({ options }: Pick<NewVolume, "options">, fill?: Fill, target?: string): Promise<string> {
    const { sizeBytes } = localOptions(options ?? {});
    return this.folders.assemble(async (folder) => {
      const data = join(folder, "_data");
      if (sizeBytes === undefined) return fill?.(data);
      await makeImage(join(folder, imageFile), sizeBytes);
      if (!fill) return;
      try {
        await this.mountImage(folder);
        await fill(data);
      } finally {
        await this.worker.call("unmount", { target: data });
      }
    }, target);
  }

  async remove({ name, options }: VolumeRecord): Promise<{ deleted: Promise<void> }> {
    // what is mounted there is not the volume's own, and must not be deleted with it
    if (isMounted(options)) takeAway(this.folders.data(name));
    return this.folders.remove(name);
  }

  path({ name }: VolumeRecord): string {
    return this.folders.data(name);
  }

  async mount({ name, options }: VolumeRecord, { first }: { first: boolean }): Promise<string> {
    const data = this.folders.data(name);
    if (!first || !isMounted(options)) return data;
    const { mount, sizeBytes } = localOptions(options ?? {});
    takeAway(data);
    try {
      if (mount) await mountDevice(mount, data, this.worker);
      if (sizeBytes !== undefined) await this.mountImage(this.folders.of(name));
    } catch (error) {
      takeAway(data);
      throw wrap(`error while mounting volume '${data}'`, error);
    }
    return data;
  }

  async unmount({ name, options }: VolumeRecord, { last }: { last: boolean }): Promise<void> {
    if (!last || !isMounted(options)) return;
    const target = this.folders.data(name);
    if (immediate.has(options?.["type"] ?? "")) takeAway(target);
    else await this.worker.call("unmount", { target });
  }

  /** Bytes on disk of a volume with a size limit. */
  async imageSize(name: string): Promise<number> {
    const { blocks } = await stat(join(this.folders.of(name), imageFile));
    return blocks * 512;
  }

  /** The names of the volumes something is mounted at. */
  async mounted(): Promise<string[]> {
    const points = new Set(await mountPoints());
    return [...points].flatMap((point) => this.folders.nameOf(point) ?? []);
  }

  private async mountImage(folder: string): Promise<void> {
    const target = join(folder, "_data");
    await this.worker.call("mountImage", { image: join(folder, imageFile), target });
    await dropLostAndFound(target);
  }

  close(): void {
    this.worker.close();
  }
}

const isMounted = (options: VolumeRecord["options"]): boolean =>
  options !== null && Object.keys(options).length > 0;

/** Mounts can lie over each other. For where nothing is mounted, or what goes at once. */
function takeAway(point: string): void {
  while (unmount(point));
}
