import { mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { LayerCompression } from "../lib/compression/layer-compression.ts";
import { EngineError } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { PackedPart } from "../system/compression/compress.ts";
import type {
  ApplyOptions,
  CommitOptions,
  Layer,
  MountOptions,
  SnapshotChange,
  Snapshots,
  SnapshotUsage,
} from "./contract.ts";
import { checkKey, type Driver } from "./drivers/driver.ts";
import type { Durability } from "./durability.ts";
import type { Layers } from "./layers.ts";
import { type Paths, temporaryPrefix } from "./paths.ts";
import type { SnapshotsPool } from "./pool.ts";
import type { RemappedRoot } from "./remapped-root.ts";
import { readFrom } from "./transfer.ts";
import type { Trash } from "./trash.ts";

/** Docker's limit too; the overlay of Linux takes 500. */
const layersMax = 125;
/** A symlink in a snapshot's folder whose target names its layers' folders: one step, and as durable as the folder. */
const layersLink = "layers";

interface Parts {
  paths: Paths;
  layers: Layers;
  driver: Driver;
  pool: SnapshotsPool;
  trash: Trash;
  durability: Durability;
  remapped: RemappedRoot | undefined;
}

export class SnapshotService implements Snapshots {
  private readonly parts: Parts;
  /** layer folders of each snapshot, lowest first */
  private readonly stacks = new Map<string, readonly string[]>();
  private readonly removed: (() => void)[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
    for (const key of readdirSync(parts.paths.snapshots)) {
      const stack = key.startsWith(temporaryPrefix) ? undefined : readStack(parts.paths.snapshot(key));
      if (stack !== undefined) this.stacks.set(key, stack);
    }
  }

  get driver(): "overlay2" | "vfs" {
    return this.parts.driver.name;
  }
  get driverStatus(): [string, string][] {
    return this.parts.driver.status;
  }

  layer(diffId: string): Layer | undefined {
    return this.parts.layers.get(diffId);
  }
  layers(): Layer[] {
    return this.parts.layers.all();
  }
  apply(source: AsyncIterable<Uint8Array>, options: ApplyOptions = {}): Promise<Layer> {
    return this.parts.layers.apply(source, options);
  }
  layerTar(diffId: string): ReadableStream<Uint8Array> {
    return this.parts.layers.tar(diffId);
  }
  layerBlob(diffId: string, how: LayerCompression): AsyncGenerator<PackedPart, void> {
    return this.parts.layers.blob(diffId, how);
  }
  layerTarSize(diffId: string): Promise<number> {
    return this.parts.layers.tarSize(diffId);
  }

  isLayerUsed(diffId: string): boolean {
    return this.userOf(diffId) !== undefined;
  }
  removeLayer(diffId: string): void {
    const key = this.userOf(diffId);
    if (key !== undefined) throw new EngineError("conflict", `layer ${diffId} is in use by snapshot ${key}`);
    this.parts.layers.remove(diffId);
  }

  verifyLayer(diffId: string): Promise<void> {
    return this.parts.layers.verify(diffId);
  }
  replaceLayer(diffId: string, work: () => Promise<void>): Promise<boolean> {
    return this.parts.layers.replace(diffId, work, (folder) => this.stackFolders().has(folder));
  }
  layerReport(layers: readonly string[], files: boolean): ReadableStream<Uint8Array> {
    const folders = this.layerFolders(layers);
    return this.reading((worker, session) => worker.call("report", { session, folders, files }));
  }
  compare(before: readonly string[], after: readonly string[]): ReadableStream<Uint8Array> {
    const sides = { before: this.layerFolders(before), after: this.layerFolders(after) };
    return this.reading((worker, session) => worker.call("compare", { session, ...sides }));
  }
  merged(layers: readonly string[], base: readonly string[]): ReadableStream<Uint8Array> {
    const { form } = this.parts.driver;
    const sides = { folders: this.layerFolders(layers), base: this.layerFolders(base) };
    return this.reading((worker, session) => worker.call("merge", { session, form, ...sides }));
  }

  async prepare(key: string, layers: readonly string[]): Promise<void> {
    const { paths, driver } = this.parts;
    if (this.stacks.has(checkKey(key))) throw new EngineError("conflict", `snapshot ${key} exists already`);
    if (layers.length > layersMax) throw new EngineError("invalid", "max depth exceeded");
    const stack = layers.map((diffId) => this.parts.layers.folder(diffId));
    this.stacks.set(key, stack); // from here on the layers are in use
    const temporary = join(paths.snapshots, temporaryPrefix + newId().slice(0, 12));
    try {
      mkdirSync(temporary, { mode: 0o710 });
      symlinkSync(stack.join(":") || "-", join(temporary, layersLink));
      await driver.prepare(temporary, stack);
      renameSync(temporary, paths.snapshot(key));
    } catch (error) {
      this.stacks.delete(key);
      this.parts.trash.discard(temporary);
      throw error;
    }
  }

  async mount(key: string, options: MountOptions = {}): Promise<string> {
    await this.parts.driver.mount(key, this.stack(key), options);
    return this.rootPath(key);
  }
  async view(
    key: string,
    layers: readonly string[],
    options: Pick<MountOptions, "remapped"> = {},
  ): Promise<string> {
    await this.prepare(key, layers);
    try {
      await this.parts.driver.mountView(key, this.stack(key), options);
    } catch (error) {
      await this.remove(key);
      throw error;
    }
    return this.rootPath(key);
  }
  remappedPath(path: string): string | undefined {
    return this.parts.remapped?.pathOf(path);
  }
  async unmount(key: string): Promise<void> {
    await this.parts.driver.unmount(checkKey(key));
  }
  rootPath(key: string): string {
    return this.parts.driver.rootPath(key);
  }

  async remove(key: string): Promise<void> {
    if (!this.stacks.has(checkKey(key))) return;
    await this.parts.driver.unmount(key);
    this.parts.trash.discard(this.parts.paths.snapshot(key));
    this.stacks.delete(key);
    for (const listener of this.removed) listener();
  }
  onRemoved(listener: () => void): void {
    this.removed.push(listener);
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.stacks.keys()]);
  }

  changes(key: string): Promise<SnapshotChange[]> {
    return this.parts.pool.run("changes", { writes: this.writes(key) });
  }
  usage(key: string): Promise<SnapshotUsage> {
    return this.parts.pool.run("usage", { writes: this.writes(key) });
  }
  async commit(
    key: string,
    { consume = false, told, plainSize = false, latest }: CommitOptions = {},
  ): Promise<Layer> {
    if (consume) await this.unmount(key);
    const writes = this.writes(key);
    const take = consume && told !== undefined && writes.kind === "upper";
    const { layers } = this.parts;
    const layer = take
      ? layers.take(writes.folder, told)
      : await layers.commit(writes, { consume, plainSize, ...(latest === undefined ? {} : { latest }) });
    if (consume) await this.remove(key);
    return layer;
  }

  graphDriver(key: string): { Name: string; Data: Record<string, string> } {
    return this.parts.driver.graphDriver(key, this.stack(key));
  }
  imageGraphDriver(layers: readonly string[]): { Name: string; Data: Record<string, string> } {
    return this.parts.driver.graphDriver(
      undefined,
      layers.map((diffId) => this.parts.layers.folder(diffId)),
    );
  }

  async sweep({ keys }: { keys: ReadonlySet<string> }): Promise<void> {
    const { paths, layers, trash } = this.parts;
    for (const key of [...this.stacks.keys()]) if (!keys.has(key)) await this.remove(key);
    for (const name of readdirSync(paths.snapshots))
      if (!this.stacks.has(name)) trash.discard(paths.snapshot(name));
    const kept = new Set([...layers.folders(), ...this.stackFolders()]);
    for (const name of readdirSync(paths.layers))
      if (!kept.has(name) && ![paths.init, paths.stepInit].includes(paths.layer(name)))
        trash.discard(paths.layer(name));
    trash.sweep();
  }

  async close(): Promise<void> {
    this.parts.remapped?.close();
    this.parts.durability.close();
    await this.parts.trash.settled();
    this.parts.pool.close();
  }

  private layerFolders(layers: readonly string[]): string[] {
    return layers.map((diffId) => this.parts.paths.layer(this.parts.layers.folder(diffId)));
  }

  /** A snapshot that stands on the layer. */
  private userOf(diffId: string): string | undefined {
    if (this.layer(diffId) === undefined) return undefined;
    const folder = this.parts.layers.folder(diffId);
    for (const [key, stack] of this.stacks) if (stack.includes(folder)) return key;
    return undefined;
  }

  /** Layer folders that snapshots stand on. */
  private stackFolders(): Set<string> {
    return new Set([...this.stacks.values()].flat());
  }

  private reading(open: Parameters<typeof readFrom>[1]): ReadableStream<Uint8Array> {
    return readFrom(this.parts.pool, open);
  }

  private stack(key: string): readonly string[] {
    const stack = this.stacks.get(key);
    if (stack === undefined) throw new EngineError("notFound", `snapshot ${key} does not exist`);
    return stack;
  }

  private writes(key: string) {
    return this.parts.driver.writes(key, this.stack(key));
  }
}

function readStack(folder: string): string[] | undefined {
  try {
    const target = readlinkSync(join(folder, layersLink));
    return target === "-" ? [] : target.split(":");
  } catch (error) {
    // not a snapshot: swept
    if (["ENOENT", "EINVAL", "ENOTDIR"].includes(String((error as { code?: unknown }).code)))
      return undefined;
    throw error;
  }
}
