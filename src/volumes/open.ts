import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import { copyTree } from "../system/tree-copy.ts";
import type { Volume, VolumeCreateRequest } from "../types/api.ts";
import type { Volumes } from "./contract.ts";
import { VolumeFolders } from "./folders.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { normalise } from "./request.ts";
import { folderSize } from "./size.ts";
import { type VolumeRecord, VolumeStore } from "./store.ts";

export interface VolumesOptions {
  dataRoot: string;
  state: State;
  events: EventBus;
  logger: Logger;
}

/** Opens the volumes below a data root. Call `sweep` before the first container runs. */
export function openVolumes(options: VolumesOptions): Volumes {
  mkdirSync(join(options.dataRoot, "volumes"), { recursive: true, mode: 0o701 });
  return new LocalVolumes(options);
}

class LocalVolumes implements Volumes {
  private readonly store: VolumeStore;
  private readonly folders: VolumeFolders;
  private readonly events: EventBus;
  private readonly logger: Logger;
  /** what changes one volume runs one after another */
  private readonly queue = new KeyedQueue();

  constructor({ dataRoot, state, events, logger }: VolumesOptions) {
    this.store = new VolumeStore(state);
    this.folders = new VolumeFolders(dataRoot);
    this.events = events;
    this.logger = logger;
  }

  async create(request: VolumeCreateRequest): Promise<Volume> {
    const wanted = normalise(request);
    return this.queue.run(wanted.name, async () => {
      const there = this.store.get(wanted.name);
      if (there) return this.tell(there);
      await this.folders.make(wanted.name);
      const volume = { ...wanted, createdMs: Date.now() };
      this.store.add(volume);
      this.publish("create", wanted.name);
      return this.tell(volume);
    });
  }

  get(name: string): Volume {
    return this.tell(this.find(name));
  }

  list(): Volume[] {
    return this.store.all().map((volume) => this.tell(volume));
  }

  has(name: string): boolean {
    return this.store.get(name) !== undefined;
  }

  remove(name: string, { force, users }: { force: boolean; users: string[] }): Promise<void> {
    return this.queue.run(name, async () => {
      if (!this.store.get(name) && force) return;
      this.find(name);
      if (users.length > 0)
        throw new EngineError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
      const { deleted } = await this.folders.remove(name);
      this.store.remove(name);
      this.publish("destroy", name);
      void deleted.catch((error: unknown) =>
        this.logger.warn("the files of a removed volume could not be deleted", {
          volume: name,
          error: messageOf(error),
        }),
      );
    });
  }

  path(name: string): string {
    return this.folders.data(name);
  }

  async copyUp(name: string, root: string, source: string): Promise<void> {
    const target = this.path(this.find(name).name);
    return this.queue.run(name, async () => void (await copyTree({ root, source, target })));
  }

  async size(name: string): Promise<number> {
    return folderSize(this.path(this.find(name).name));
  }

  /** Makes rows and folders agree after a crash: a removal is completed, data without a row gets one. */
  async sweep(): Promise<void> {
    const rows = new Set(this.store.all().map((volume) => volume.name));
    const there = await this.folders.sweep(rows);
    for (const name of rows)
      if (!there.has(name)) {
        this.store.remove(name);
        this.logger.warn("a volume has no folder any more and is forgotten", { volume: name });
      }
    for (const name of there)
      if (!rows.has(name)) {
        this.store.add({ name, driver: "local", labels: null, options: null, createdMs: Date.now() });
        this.logger.warn("a folder of data belonged to no volume and is one now", { volume: name });
      }
  }

  private find(name: string): VolumeRecord {
    const volume = this.store.get(name);
    if (volume) return volume;
    throw new EngineError("notFound", `get ${name}: no such volume`);
  }

  private publish(action: string, name: string): void {
    this.events.publish({ type: "volume", action, id: name, attributes: { driver: "local" } });
  }

  private tell({ name, driver, labels, options, createdMs }: VolumeRecord): Volume {
    return {
      CreatedAt: new Date(createdMs).toISOString().replace(/\.\d+Z$/, "Z"),
      Driver: driver,
      Labels: labels,
      Mountpoint: this.folders.data(name),
      Name: name,
      Options: options,
      Scope: "local",
    };
  }
}
