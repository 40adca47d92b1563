import { join } from "node:path";
import { EngineError } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { State } from "../state/database.ts";
import type { ApplyOptions, Layer } from "./contract.ts";
import type { LayerForm } from "./form.ts";
import { type Paths, temporaryPrefix } from "./paths.ts";
import type { WorkerPool } from "./pool.ts";
import { readFrom, sendToApply } from "./transfer.ts";
import type { Trash } from "./trash.ts";

interface LayerRow {
  diff_id: string;
  folder: string;
  size: number;
}

const bytesMaxDefault = 2 ** 40;
const entriesMaxDefault = 10_000_000;
const diffIdPattern = /^sha256:[0-9a-f]{64}$/;

/** The read-only layers: rows of the database and their folders. */
export class Layers {
  private readonly state: State;
  private readonly paths: Paths;
  private readonly pool: WorkerPool;
  private readonly trash: Trash;
  private readonly form: LayerForm;
  /** complete ones, by diff id */
  private readonly known = new Map<string, LayerRow>();
  private readonly applying = new Map<string, Promise<Layer>>();

  constructor(state: State, paths: Paths, pool: WorkerPool, trash: Trash, form: LayerForm) {
    this.state = state;
    this.paths = paths;
    this.pool = pool;
    this.trash = trash;
    this.form = form;
    const rows = state.db.query<LayerRow, []>("SELECT diff_id, folder, size FROM layers").all();
    for (const row of rows) this.known.set(row.diff_id, row);
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
    for (let running = this.applying.get(diffId); running !== undefined; running = this.applying.get(diffId))
      await running.catch(() => undefined); // the other caller is told; this one tries with its own source
    const there = this.get(diffId);
    if (there !== undefined) {
      await drain(source, options.signal);
      return there;
    }
    const work = this.unpack(source, options);
    this.applying.set(diffId, work);
    try {
      return await work;
    } finally {
      this.applying.delete(diffId);
    }
  }

  tar(diffId: string): ReadableStream<Uint8Array> {
    const folder = this.paths.layer(this.folder(diffId));
    return readFrom(this.pool, (worker, session) => worker.call("layerTar", { session, folder, diffId }));
  }

  remove(diffId: string): void {
    const row = this.known.get(diffId);
    if (row === undefined) return;
    this.state.transaction(() => this.state.db.query("DELETE FROM layers WHERE diff_id = ?").run(diffId));
    this.known.delete(diffId);
    this.trash.discard(this.paths.layer(row.folder));
  }

  private async unpack(source: AsyncIterable<Uint8Array>, options: ApplyOptions): Promise<Layer> {
    const folder = newId().slice(0, 24);
    const { diffId, size } = await sendToApply(
      this.pool,
      {
        temporary: join(this.paths.layers, temporaryPrefix + folder),
        final: this.paths.layer(folder),
        form: this.form,
        kind: options.kind ?? "layer",
        ...(options.diffId === undefined ? {} : { diffId: options.diffId }),
        bytesMax: options.limits?.bytes ?? bytesMaxDefault,
        entriesMax: options.limits?.entries ?? entriesMaxDefault,
      },
      source,
      options,
    );
    return this.adopt({ diff_id: diffId, folder, size });
  }

  /** The folder is complete and on the disk: from here on the layer exists. */
  adopt(row: LayerRow): Layer {
    const there = this.get(row.diff_id);
    if (there !== undefined) {
      this.trash.discard(this.paths.layer(row.folder));
      return there;
    }
    this.state.transaction(() =>
      this.state.db
        .query("INSERT INTO layers (diff_id, folder, size, created_at) VALUES (?, ?, ?, ?)")
        .run(row.diff_id, row.folder, row.size, Date.now()),
    );
    this.known.set(row.diff_id, row);
    return { diffId: row.diff_id, size: row.size };
  }
}

async function drain(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
  for await (const _ of source) signal?.throwIfAborted();
}
