import { EngineError, messageOf, wrap } from "../lib/errors.ts";
import { sortedByKey } from "../lib/go/sorted.ts";
import type { Logger } from "../lib/log.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Volume, VolumeCreateRequest } from "../types/api.ts";
import type { VolumeRemoval, VolumeSnapshots, Volumes } from "./contract.ts";
import type { VolumeDriver } from "./driver.ts";
import { Holders } from "./holders.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { type Fill, LocalDriver } from "./local/driver.ts";
import { VolumeFolders } from "./local/folders.ts";
import { folderSize } from "./local/size.ts";
import { cloneVolume, createFilled, type FillSource, fillEmpty } from "./operations/fill.ts";
import { finishRename, renameVolume } from "./operations/rename.ts";
import { dropSnapshot, listSnapshots, restoreSnapshot, takeSnapshot } from "./operations/snapshots.ts";
import { publish, type VolumeParts } from "./parts.ts";
import type { PluginFolders } from "./plugins/discovery.ts";
import { pluginFolders } from "./plugins/discovery.ts";
import { type PluginDriver, PluginDrivers, type PluginVolume } from "./plugins/driver.ts";
import { checkOptions, normalise } from "./request.ts";
import { type VolumeRecord, VolumeStore } from "./store.ts";

export class VolumeService implements Volumes {
  private readonly store: VolumeStore;
  private readonly folders: VolumeFolders;
  private readonly local: LocalDriver;
  private readonly plugins: PluginDrivers;
  private readonly logger: Logger;
  private readonly holders = new Holders();
  private readonly queue = new KeyedQueue();
  private readonly parts: VolumeParts;

  constructor({ dataRoot, state, events, logger, plugins = pluginFolders }: VolumesOptions) {
    this.store = new VolumeStore(state);
    this.folders = new VolumeFolders(dataRoot);
    this.local = new LocalDriver(this.folders);
    this.plugins = new PluginDrivers(plugins);
    this.logger = logger;
    const { store, folders, local, holders, queue } = this;
    this.parts = { store, folders, local, holders, queue, events, logger, find: (name) => this.find(name) };
  }

  async create(request: VolumeCreateRequest): Promise<Volume> {
    const wanted = normalise(request);
    return this.queue.run(wanted.name, async () => {
      const there = this.store.get(wanted.name);
      if (there && (!request.Driver || request.Driver === there.driver)) return this.tell(there);
      checkOptions(wanted);
      const driver = await this.driverOf(wanted).catch((error: unknown) =>
        Promise.reject(wrap(`create ${wanted.name}`, error)),
      );
      if (there)
        throw new EngineError(
          "conflict",
          `driver '${there.driver}' already has volume '${there.name}': volume name must be unique`,
        );
      await driver.create(wanted).catch((error: unknown) => {
        throw wrap(`create ${wanted.name}`, error);
      });
      const volume = this.store.add(wanted);
      publish(this.parts, "create", volume);
      return this.tell(volume);
    });
  }

  async inspect(name: string): Promise<Volume> {
    const volume = this.store.get(name);
    if (volume?.driver === "local") return this.tell(volume);
    if (volume) return this.tellPlugged(volume);
    const { drivers } = await this.plugins.all();
    for (const driver of drivers) {
      const found = await driver.get(name).catch(() => undefined); // it does not know it
      if (found) return pluggedVolume(driver, found);
    }
    throw noSuchVolume(name);
  }

  async list(): Promise<{ volumes: Volume[]; warnings: string[] }> {
    const volumes = this.store.all().map((volume) => this.tell(volume));
    const { drivers, failures } = await this.plugins.all();
    const warnings = [...failures];
    const known = new Map(volumes.map((volume) => [volume.Name, volume]));
    for (const driver of drivers)
      try {
        for (const found of await driver.list()) {
          const own = known.get(found.Name);
          if (own?.Driver === driver.name) own.Mountpoint = found.Mountpoint ?? own.Mountpoint;
          else if (!own) volumes.push(pluggedVolume(driver, found));
        }
      } catch (error) {
        warnings.push(`list ${driver.name}: ${messageOf(error)}`);
      }
    return { volumes, warnings };
  }

  has(name: string): boolean {
    return this.store.get(name) !== undefined;
  }

  remove(name: string, { force, users, pinned = false }: VolumeRemoval): Promise<void> {
    return this.queue.run(name, async () => {
      if (!this.store.get(name) && force) return;
      const volume = this.find(name);
      const holders = users.length > 0 ? users : this.holders.of(name);
      if (holders.length > 0)
        throw new EngineError("conflict", `remove ${name}: volume is in use - [${holders.join(", ")}]`);
      if (volume.pinned && !(force && pinned))
        throw new EngineError("conflict", `remove ${name}: volume is pinned (must be forced)`);
      const { deleted } = await this.removeBehind(volume, force);
      this.store.remove(name);
      publish(this.parts, "destroy", volume);
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
      const held = this.holders.pathOf(name, user);
      if (held !== undefined) return held;
      const first = this.holders.of(name).length === 0;
      const driver = await this.driverOf(volume);
      const path = await driver.mount(volume, { user, first }).catch((error: unknown) => {
        throw volume.driver === "local"
          ? error
          : wrap(`error while mounting volume '${driver.path(volume)}'`, error);
      });
      this.holders.add(name, user, path);
      return path;
    });
  }

  heldBy(user: string): string[] {
    return this.holders.by(user);
  }

  release(name: string, user: string): Promise<void> {
    return this.queue.run(name, async () => {
      const volume = this.store.get(name);
      if (!this.holders.delete(name, user) || !volume) return;
      const last = this.holders.of(name).length === 0;
      await (await this.driverOf(volume)).unmount(volume, { user, last });
    });
  }

  adopt(name: string, user: string): void {
    const volume = this.store.get(name);
    if (volume) this.holders.add(name, user, this.pathOf(volume));
  }

  copyUp(name: string, user: string, from: FillSource): Promise<void> {
    return this.queue.run(name, () => fillEmpty(this.parts, this.find(name), user, from));
  }

  rename(name: string, to: string, also: (path: string) => void): Promise<void> {
    return renameVolume(this.parts, name, to, also);
  }

  async createFilled(request: VolumeCreateRequest, fill: Fill): Promise<Volume> {
    return this.tell(await createFilled(this.parts, request, fill));
  }

  async clone(name: string, to: string): Promise<Volume> {
    return this.tell(await cloneVolume(this.parts, name, to));
  }

  readonly snapshots: VolumeSnapshots = {
    take: (name, snapshot) => takeSnapshot(this.parts, name, snapshot),
    list: (name) => listSnapshots(this.parts, name),
    restore: (name, snapshot) => restoreSnapshot(this.parts, name, snapshot),
    remove: (name, snapshot) => dropSnapshot(this.parts, name, snapshot),
  };

  pin(name: string, pinned: boolean): void {
    this.store.pin(this.find(name).name, pinned);
  }

  async size(name: string): Promise<number> {
    const { driver, options } = this.find(name);
    if (driver !== "local") return -1;
    return options?.["size"] === undefined ? folderSize(this.folders.data(name)) : this.local.imageSize(name);
  }

  /** Makes rows and folders agree after a crash: a removal is completed, data without a row gets one. */
  async sweep(): Promise<void> {
    for (const { name } of this.store.all()) await finishRename(this.parts, name);
    const local = this.store.all().filter(({ driver }) => driver === "local");
    const rows = new Set(local.map(({ name }) => name));
    const there = await this.folders.sweep(rows);
    for (const name of rows)
      if (!there.has(name)) {
        this.store.remove(name);
        this.logger.warn("a volume has no folder any more and is forgotten", { volume: name });
      }
    for (const name of there)
      if (!rows.has(name)) {
        const options = await this.folders.optionsOf(name);
        this.store.add({ name, driver: "local", labels: null, options });
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

  pluginNames(): string[] {
    return this.plugins.names();
  }

  close(): void {
    this.local.close();
  }

  private async driverOf({ driver }: Pick<VolumeRecord, "driver">): Promise<VolumeDriver> {
    return driver === "local" ? this.local : this.plugins.find(driver);
  }

  private pathOf(volume: VolumeRecord): string {
    return volume.driver === "local" ? this.local.path(volume) : this.plugins.path(volume);
  }

  /** By force a volume goes also where its plugin does not answer, or says no. */
  private async removeBehind(volume: VolumeRecord, force: boolean): Promise<{ deleted: Promise<void> }> {
    try {
      return await (await this.driverOf(volume)).remove(volume);
    } catch (error) {
      if (!force || volume.driver === "local") throw wrap(`remove ${volume.name}`, error);
      this.logger.warn("a volume is forgotten whose plugin did not remove it", {
        volume: volume.name,
        error: messageOf(error),
      });
      return { deleted: Promise.resolve() };
    }
  }

  private find(name: string): VolumeRecord {
    const volume = this.store.get(name);
    if (volume) return volume;
    throw noSuchVolume(name);
  }

  private async tellPlugged(volume: VolumeRecord): Promise<Volume> {
    try {
      const driver = await this.plugins.find(volume.driver);
      const { Status, CreatedAt } = (await driver.get(volume.name)) ?? {};
      return {
        ...this.tell(volume),
        ...(CreatedAt ? { CreatedAt } : {}),
        ...(Status ? { Status } : {}),
        Scope: driver.scope,
      };
    } catch (error) {
      throw wrap(`get ${volume.name}`, error);
    }
  }

  private tell(volume: VolumeRecord): Volume {
    const { name, driver, labels, options, createdMs, pinned } = volume;
    return {
      CreatedAt: new Date(createdMs).toISOString().replace(/\.\d+Z$/, "Z"),
      Driver: driver,
      Labels: labels && sortedByKey(labels),
      Mountpoint: this.pathOf(volume),
      Name: name,
      Options: options && sortedByKey(options),
      Scope: "local",
      ...(pinned ? { Pinned: true } : {}),
    };
  }
}

const noSuchVolume = (name: string): EngineError =>
  new EngineError("notFound", `${name === "" ? "get" : `get ${name}`}: no such volume`);

/** A volume that its plugin knows from elsewhere. */
const pluggedVolume = (
  driver: PluginDriver,
  { Name, Mountpoint = "", CreatedAt, Status }: PluginVolume,
): Volume => ({
  ...(CreatedAt ? { CreatedAt } : {}),
  Driver: driver.name,
  Labels: null,
  Mountpoint,
  Name,
  Options: null,
  Scope: driver.scope,
  ...(Status ? { Status } : {}),
});

export interface VolumesOptions {
  dataRoot: string;
  state: State;
  events: EventBus;
  logger: Logger;
  /** where plugins are found; Docker's folders where left out */
  plugins?: PluginFolders;
}
