import type { NewVolume, VolumeRecord } from "./store.ts";

/**
 * What stands behind volumes of one driver. Calls that concern one volume come one after another. A `user` is who
 * holds the volume: a container, an exec, a copy.
 */
export interface VolumeDriver {
  /** Before the row is written: undone by `remove` where that fails. */
  create(volume: NewVolume): Promise<void>;
  /** The name is free when this resolves, the files are gone when `deleted` does. */
  remove(volume: VolumeRecord): Promise<{ deleted: Promise<void> }>;
  /** Where its data is or would be; "" where that is not known. */
  path(volume: VolumeRecord): string;
  /** Makes the data reachable, `first` where nobody holds it yet; answers its host path. */
  mount(volume: VolumeRecord, use: { user: string; first: boolean }): Promise<string>;
  unmount(volume: VolumeRecord, use: { user: string; last: boolean }): Promise<void>;
}
