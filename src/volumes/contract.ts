import type { Volume, VolumeCreateRequest } from "../types/api.ts";

/**
 * Volumes: named data that outlives containers, at `<data root>/volumes/<name>/_data`. An anonymous volume has a
 * 64-hex name and the label `com.docker.volume.anonymous`. Deletion refuses (`conflict`) what a container names;
 * who names what is the caller's knowledge (`users`).
 */
export interface Volumes {
  /** Makes a volume, or returns the one of that name (`conflict` where its driver differs). */
  create(request: VolumeCreateRequest): Promise<Volume>;
  get(name: string): Volume;
  list(): Volume[];
  has(name: string): boolean;
  /** `users` are the ids of the containers that name it. */
  remove(name: string, options: { force: boolean; users: string[] }): Promise<void>;
  /** Host path of its data, also of one that is yet to be made. */
  path(name: string): string;
  /**
   * Fills an empty volume from the folder `source` of a mounted root: contents, and the folder's own owner and mode.
   * A volume that has anything in it stays as it is. Links are copied as links, never followed.
   */
  copyUp(name: string, root: string, source: string): Promise<void>;
  /** bytes in it */
  size(name: string): Promise<number>;
  sweep(): Promise<void>;
}
