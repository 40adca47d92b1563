import { join } from "node:path";
import { wrap } from "../../lib/errors.ts";
import { unmount } from "../../system/mount.ts";
import { mountPoints } from "../../system/mount-table.ts";
import type { VolumeDriver } from "../driver.ts";
import type { VolumeRecord } from "../store.ts";
import { mountDevice } from "./device.ts";
import type { VolumeFolders } from "./folders.ts";
import { dropLostAndFound, imageFile, makeImage } from "./image.ts";
import { localOptions } from "./options.ts";
import { MountWorker } from "./worker.ts";

/** Volumes on this machine: a folder each, over which what its options ask for is mounted while somebody uses it. */
export class LocalDriver implements VolumeDriver {
  private readonly folders: VolumeFolders;
  private readonly worker = new MountWorker();

  constructor(folders: VolumeFolders) {
    this.folders = folders;
  }

  async create({ name, options }: Omit<VolumeRecord, "createdMs">): Promise<void> {
    const { sizeBytes } = localOptions(options ?? {});
    await this.folders.make(name, async (folder) => {
      if (sizeBytes !== undefined) await makeImage(join(folder, imageFile), sizeBytes);
    });
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
      if (sizeBytes !== undefined) {
        await this.worker.call("mountImage", { image: join(this.folders.of(name), imageFile), target: data });
        await dropLostAndFound(data);
      }
    } catch (error) {
      takeAway(data);
      throw wrap(`error while mounting volume '${data}'`, error);
    }
    return data;
  }

  async unmount({ name, options }: VolumeRecord, { last }: { last: boolean }): Promise<void> {
    if (last && isMounted(options)) takeAway(this.folders.data(name));
  }

  /** The names of the volumes something is mounted at. */
  async mounted(): Promise<string[]> {
    const points = new Set(await mountPoints());
    return [...points].flatMap((point) => this.folders.nameOf(point) ?? []);
  }

  close(): void {
    this.worker.close();
  }
}

const isMounted = (options: VolumeRecord["options"]): boolean =>
  options !== null && Object.keys(options).length > 0;

/** Mounts can lie over each other. */
function takeAway(point: string): void {
  while (unmount(point));
}
