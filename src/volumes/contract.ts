import type { Volume, VolumeCreateRequest } from "../types/api.ts";

/**
 * Volumes: named data that outlives containers, at `<data root>/volumes/<name>/_data` or with a plugin. An anonymous
 * volume has a 64-hex name and the label `com.docker.volume.anonymous`. Deletion refuses (`conflict`) what a container
 * names; who names what is the caller's knowledge (`users`).
 *
 * Who wants a volume's data holds it (`mount` … `release`) under a name of its own, a container's id or an exec's: what
 * a driver must do to make it reachable is done for the first, and undone after the last.
 */
export interface Volumes {
  /** Makes a volume, or returns the one of that name (`conflict` where its driver differs). */
  create(request: VolumeCreateRequest): Promise<Volume>;
  /** Also one that only a plugin knows. */
  inspect(name: string): Promise<Volume>;
  /** Those of plugins that do not answer are missing, and told as warnings. */
  list(): Promise<{ volumes: Volume[]; warnings: string[] }>;
  has(name: string): boolean;
  /** `users` are the ids of the containers that name it. */
  remove(name: string, options: VolumeRemoval): Promise<void>;
  /** Holds the volume for `user`, also again; answers the host path of its data. */
  mount(name: string, user: string): Promise<string>;
  /** Lets go of what `mount` or `adopt` gave; a success for what is not held. */
  release(name: string, user: string): Promise<void>;
  /** Names of the volumes that `user` holds. */
  heldBy(user: string): string[];
  /** After a restart: `user` has held it since before. */
  adopt(name: string, user: string): void;
  /**
   * Fills an empty volume that `user` holds from the folder `source` of a mounted root: contents, and the folder's own
   * owner and mode. A volume that has anything in it stays as it is. Links are copied as links, never followed. `through`
   * is another path to the volume's data, with owners shown as the mounted root shows them. The folder may be another one
   * afterwards: what leads to it by more than its path must be opened after this.
   */
  copyUp(name: string, user: string, from: { root: string; source: string; through?: string }): Promise<void>;
  /** `also` changes what names it elsewhere, in the same transaction; it gets the new path. Users keep it. */
  rename(name: string, to: string, also: (path: string) => void): Promise<void>;
  /** Makes a volume with the data that `fill` writes below its argument: whole, or not at all. */
  createFilled(request: VolumeCreateRequest, fill: (data: string) => Promise<void>): Promise<Volume>;
  /** A copy under a new name; blocks are shared where the file system can. */
  clone(name: string, to: string): Promise<Volume>;
  snapshots: VolumeSnapshots;
  /** A pinned volume is left alone by every prune, and removed by force alone. */
  pin(name: string, pinned: boolean): void;
  /** bytes in it; -1 where a plugin keeps it */
  size(name: string): Promise<number>;
  /** Before containers are found again: makes rows and folders agree. */
  sweep(): Promise<void>;
  /** After containers were found again: nothing stays mounted that nobody holds. */
  sweepMounts(): Promise<void>;
  /** The volume plugins that were found and used, by name. */
  pluginNames(): string[];
  close(): void;
}

/** Who holds a volume by a name that begins so only has it filled, and finds it by its path alone. */
export const fillerPrefix = "create:";

export interface VolumeRemoval {
  /** also with a plugin that does not answer; one that is not there is no error */
  force: boolean;
  /** containers that mount it, which keep it in any case */
  users: string[];
  /** the force is meant for a pinned volume too: `compose down -v` forces all that it removes, and means none */
  pinned?: boolean;
}

/** A state of a volume, kept beside it and removed with it. */
export interface VolumeSnapshot {
  Name: string;
  /** RFC 3339 */
  CreatedAt: string;
}

export interface VolumeSnapshots {
  /** `snapshot` "" = named by its moment */
  take(name: string, snapshot: string): Promise<VolumeSnapshot>;
  list(name: string): Promise<VolumeSnapshot[]>;
  /** Puts the data back: `conflict` while somebody holds the volume. */
  restore(name: string, snapshot: string): Promise<void>;
  remove(name: string, snapshot: string): Promise<void>;
}
