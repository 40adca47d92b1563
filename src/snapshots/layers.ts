import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { LayerCompression } from "../lib/compression/layer-compression.ts";
import { EngineError } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { State } from "../state/database.ts";
import type { PackedPart } from "../system/compression/compress.ts";
import type { ApplyOptions, Layer, ToldTar } from "./contract.ts";
import type { Writes } from "./drivers/driver.ts";
import type { LayerForm } from "./drivers/form.ts";
import type { Durability } from "./durability.ts";
import { type Paths, temporaryPrefix } from "./paths.ts";
import type { SnapshotsPool } from "./pool.ts";
import { recordFile } from "./record.ts";
import { readBlob, readFrom, sendToApply } from "./transfer.ts";
import type { Trash } from "./trash.ts";
import type { ApplyResult } from "./worker/apply.ts";
import type { CommitRequest } from "./worker/commit.ts";
import type { TarSource } from "./worker/layer-tar.ts";

interface LayerRow {
  diff_id: string;
  folder: string;
  size: number;
  /** -1 = not counted yet */
  tar_size: number;
  /** -1 = not known */
  tar_checksum: number;
}

interface LayersParts {
  state: State;
  paths: Paths;
  pool: SnapshotsPool;
  trash: Trash;
  durability: Durability;
  form: LayerForm;
}

const bytesMaxDefault = 2 ** 40;
const entriesMaxDefault = 10_000_000;
const diffIdPattern = /^sha256:[0-9a-f]{64}$/;

/** The read-only layers: rows of the database and their folders. */
export class Layers {
  private readonly parts: LayersParts;
  /** complete ones, by diff id */
  private readonly known = new Map<string, LayerRow>();

  constructor(parts: LayersParts) {
    this.parts = parts;
    const rows = parts.state.db.query<LayerRow, []>(
      "SELECT diff_id, folder, size, tar_size, tar_checksum FROM layers",
    );
    for (const row of rows.all()) this.known.set(row.diff_id, row);
  }

  get(diffId: string): Layer | undefined {
    const row = this.known.get(diffId);
    return row && { diffId, size: row.size };
  }

  all(): Layer[] {
    return [...this.known.values()].map(({ diff_id, size }) => ({ diffId: diff_id, size }));
  }

  folders(): Set<string> {
    return new Set([...this.known.values()].map(({ folder }) => folder));
  }

  folder(diffId: string): string {
    const row = this.known.get(diffId);
    if (row === undefined) throw new EngineError("notFound", `layer ${diffId} does not exist`);
    return row.folder;
  }

  async apply(source: AsyncIterable<Uint8Array>, options: ApplyOptions): Promise<Layer> {
    const { diffId } = options;
    if (diffId === undefined) return this.unpack(source, options);
    if (!diffIdPattern.test(diffId))
      throw new EngineError("invalid", `${JSON.stringify(diffId)} is not a diff id`);
    const there = this.get(diffId);
    if (there === undefined) return this.unpack(source, options);
    await drain(source, options.signal);
    return there;
  }

  tar(diffId: string): ReadableStream<Uint8Array> {
    return this.read(this.tarSource(diffId));
  }

  blob(diffId: string, how: LayerCompression): AsyncGenerator<PackedPart, void> {
    return readBlob(this.parts.pool, { ...this.tarSource(diffId), how });
  }

  /** From the row; layers of an older engine are counted once, from their record. */
  async tarSize(diffId: string): Promise<number> {
    const folder = this.folder(diffId);
    const row = this.known.get(diffId);
    if (row !== undefined && row.tar_size >= 0) return row.tar_size;
    const size = await this.parts.pool.run("tarSize", { folder: this.parts.paths.layer(folder) });
    const { state } = this.parts;
    state.transaction(() =>
      state.db.query("UPDATE layers SET tar_size = ? WHERE diff_id = ?").run(size, diffId),
    );
    if (row !== undefined) row.tar_size = size;
    return size;
  }

  /** Reads all of it again. Throws `internal`, saying what is wrong, where it is not what its digest says. */
  async verify(diffId: string): Promise<void> {
    const source = { ...this.tarSource(diffId), checksum: -1 };
    for await (const _ of this.read(source) as AsyncIterable<Uint8Array>);
  }

  /** The row stays until the new one takes its place, so a crash in between changes nothing. */
  async replace(
    diffId: string,
    work: () => Promise<void>,
    isUsed: (folder: string) => boolean,
  ): Promise<boolean> {
    const old = this.known.get(diffId);
    this.known.delete(diffId);
    try {
      await work();
    } finally {
      if (old !== undefined && !this.known.has(diffId)) this.known.set(diffId, old);
    }
    const replaced = this.known.get(diffId) !== old;
    if (replaced && old !== undefined && !isUsed(old.folder))
      this.parts.trash.discard(this.parts.paths.layer(old.folder));
    return replaced;
  }

  remove(diffId: string): void {
    const row = this.known.get(diffId);
    if (row === undefined) return;
    const { state, trash, paths } = this.parts;
    state.transaction(() => state.db.query("DELETE FROM layers WHERE diff_id = ?").run(diffId));
    this.known.delete(diffId);
    trash.discard(paths.layer(row.folder));
  }

  async commit(writes: Writes, how: Pick<CommitRequest, "consume" | "plainSize" | "latest">): Promise<Layer> {
    const folder = newFolder();
    const request = { writes, ...how, ...this.places(folder) };
    return this.adopt(folder, await this.parts.pool.run("commit", request));
  }

  /** A written folder with its record beside it: four names change, and nothing is read. */
  take(written: string, told: ToldTar): Layer {
    const folder = newFolder();
    const { temporary, final } = this.places(folder);
    try {
      mkdirSync(temporary, { mode: 0o755 });
      renameSync(join(written, "..", recordFile), join(temporary, recordFile));
      renameSync(written, join(temporary, "diff"));
      renameSync(temporary, final);
    } catch (error) {
      this.parts.trash.discard(temporary);
      throw error;
    }
    return this.adopt(folder, told);
  }

  private async unpack(source: AsyncIterable<Uint8Array>, options: ApplyOptions): Promise<Layer> {
    const folder = newFolder();
    const request = {
      ...this.places(folder),
      form: this.parts.form,
      kind: options.kind ?? "layer",
      ...(options.diffId === undefined ? {} : { diffId: options.diffId }),
      ...unpackedMax(options.limits?.bytes),
      entriesMax: options.limits?.entries ?? entriesMaxDefault,
    };
    return this.adopt(folder, await sendToApply(this.parts.pool, request, source, options));
  }

  private places(folder: string): { temporary: string; final: string } {
    const { paths } = this.parts;
    return { temporary: join(paths.layers, temporaryPrefix + folder), final: paths.layer(folder) };
  }

  private tarSource(diffId: string): TarSource {
    const folder = this.parts.paths.layer(this.folder(diffId));
    return { folder, diffId, checksum: this.known.get(diffId)?.tar_checksum ?? -1 };
  }

  private read(source: TarSource): ReadableStream<Uint8Array> {
    return readFrom(this.parts.pool, (worker, session) => worker.call("layerTar", { session, source }));
  }

  /** The folder is complete: from here on the layer exists. */
  private adopt(folder: string, { diffId, size, tarSize, checksum }: ApplyResult): Layer {
    const there = this.get(diffId);
    const { state, trash, paths, durability } = this.parts;
    if (there !== undefined) {
      trash.discard(paths.layer(folder));
      return there;
    }
    state.transaction(() =>
      state.db
        .query(
          "INSERT INTO layers (diff_id, folder, size, tar_size, tar_checksum, synced, created_at) VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT (diff_id) DO UPDATE SET folder = excluded.folder, synced = 0",
        )
        .run(diffId, folder, size, tarSize, checksum, Date.now()),
    );
    this.known.set(diffId, { diff_id: diffId, folder, size, tar_size: tarSize, tar_checksum: checksum });
    durability.soon();
    return { diffId, size };
  }
}

/** A limit that was asked for replaces the guess at what is a bomb. */
const unpackedMax = (bytes: number | undefined): { bytesMax: number; bombFrom?: number } =>
  bytes === undefined
    ? { bytesMax: bytesMaxDefault }
    : { bytesMax: bytes, bombFrom: Number.POSITIVE_INFINITY };

const newFolder = (): string => newId().slice(0, 24);

async function drain(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
  for await (const _ of source) signal?.throwIfAborted();
}
