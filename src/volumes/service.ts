import { EngineError, messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { EventBus } from "../state/events.ts";
import { copyTree } from "../system/tree-copy.ts";
import type { Volume, VolumeCreateRequest } from "../types/api.ts";
import type { Volumes } from "./contract.ts";
import type { VolumeDriver } from "./driver.ts";
import { Holders } from "./holders.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { LocalDriver } from "./local/driver.ts";
import { VolumeFolders } from "./local/folders.ts";
import { folderSize } from "./local/size.ts";
import type { VolumesOptions } from "./open.ts";
import { normalise } from "./request.ts";
import { type VolumeRecord, VolumeStore } from "./store.ts";

export class VolumeService implements Volumes {
  private readonly store: VolumeStore;
  private readonly folders: VolumeFolders;
  private readonly local: LocalDriver;
  private readonly events: EventBus;
  private readonly logger: Logger;
  private readonly holders = new Holders();
  /** what changes one volume runs one after another */
  private readonly queue = new KeyedQueue();

  constructor({ dataRoot, state, events, logger }: VolumesOptions) {
    this.store = new VolumeStore(state);
    this.folders = new VolumeFolders(dataRoot);
    this.local = new LocalDriver(this.folders);
    this.events = events;
    this.logger = logger;
  }

  async create(request: VolumeCreateRequest): Promise<Volume> {
    const wanted = normalise(request);
    return this.queue.run(wanted.name, async () => {
      const there = this.store.get(wanted.name);
      if (there) return this.tell(there);
      await this.driverOf(wanted).create(wanted);
      const volume = { ...wanted, createdMs: Date.now() };
      this.store.add(volume);
      this.publish("create", volume);
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
      const volume = this.find(name);
      const holders = users.length > 0 ? users : this.holders.of(name);
      if (holders.length > 0)
        throw new EngineError("conflict", `remove ${name}: volume is in use - [${holders.join(", ")}]`);
      const { deleted } = await this.driverOf(volume).remove(volume);
      this.store.remove(name);
      this.publish("destroy", volume);
      void deleted.catch((error: unknown) =>
        this.logger.warn("the files of a removed volume could not be deleted", {
          volume: name,
          error: messageOf(error),
        }),
      );
    });
  }

  mount(name: string, user: string): Promise<string> {
    return this.queue.run(name, async () => {
      const volume = this.find(name);
      const first = this.holders.of(name).length === 0;
      const path = await this.driverOf(volume).mount(volume, { user, first });
      this.holders.add(name, user);
      return path;
    });
  }

  release(name: string, user: string): Promise<void> {
    return this.queue.run(name, async () => {
      const volume = this.store.get(name);
      if (!this.holders.delete(name, user) || !volume) return;
      const last = this.holders.of(name).length === 0;
      await this.driverOf(volume).unmount(volume, { user, last });
    });
  }

  adopt(name: string, user: string): void {
    if (this.has(name)) this.holders.add(name, user);
  }

  async copyUp(name: string, root: string, source: string): Promise<void> {
    return this.queue.run(name, async () => {
      const volume = this.find(name);
      // memory is empty at each mount, and stays so: Docker fills it too early for anybody to see
      if (volume.options?.["type"] === "tmpfs") return;
      await copyTree({ root, source, target: this.driverOf(volume).path(volume) });
    });
  }

  async size(name: string): Promise<number> {
    return folderSize(this.folders.data(this.find(name).name));
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
        const options = await this.folders.optionsOf(name);
        this.store.add({ name, driver: "local", labels: null, options, createdMs: Date.now() });
        this.logger.warn("a folder of data belonged to no volume and is one now", { volume: name });
      }
  }

  async sweepMounts(): Promise<void> {
    for (const name of await this.local.mounted()) {
      await this.queue.run(name, async () => {
        const volume = this.store.get(name);
        if (volume && this.holders.of(name).length === 0) await this.local.unmount(volume, { last: true });
      });
    }
  }

  close(): void {
    this.local.close();
  }

  private driverOf(_volume: Pick<VolumeRecord, "driver">): VolumeDriver {
    return this.local;
  }

  private find(name: string): VolumeRecord {
    const volume = this.store.get(name);
    if (volume) return volume;
    throw new EngineError("notFound", `get ${name}: no such volume`);
  }

  private publish(action: string, { name, driver }: VolumeRecord): void {
    this.events.publish({ type: "volume", action, id: name, attributes: { driver } });
  }

  private tell(volume: VolumeRecord): Volume {
    const { name, driver, labels, options, createdMs } = volume;
    return {
      CreatedAt: new Date(createdMs).toISOString().replace(/\.\d+Z$/, "Z"),
      Driver: driver,
      Labels: labels,
      Mountpoint: this.driverOf(volume).path(volume),
      Name: name,
      Options: options,
      Scope: "local",
    };
  }
}
