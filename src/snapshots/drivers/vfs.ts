import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Paths } from "../paths.ts";
import type { SnapshotsPool } from "../pool.ts";
import type { Driver, Writes } from "./driver.ts";

/**
 * Snapshots by copying, for data roots that cannot hold an overlay: each is a full copy of its layers, `<key>/merged`.
 * There is nothing to mount: what is prepared counts as mounted.
 */
export class VfsDriver implements Driver {
  readonly name = "vfs";
  readonly form = "marker";
  readonly status: [string, string][] = [];
  private readonly paths: Paths;
  private readonly pool: SnapshotsPool;

  constructor(paths: Paths, pool: SnapshotsPool) {
    this.paths = paths;
    this.pool = pool;
  }

  async prepare(folder: string, layers: readonly string[]): Promise<void> {
    const target = join(folder, "merged");
    mkdirSync(target, { mode: 0o755 });
    await this.pool.run("copy", { layers: this.lowestFirst(layers), target });
  }

  mount(): Promise<void> {
    return Promise.resolve();
  }

  /** What the engine's own layer brought goes again: nothing of an image is lost, for it lay above. */
  async mountView(key: string, layers: readonly string[]): Promise<void> {
    const target = this.rootPath(key);
    await rm(target, { recursive: true });
    mkdirSync(target, { mode: 0o755 });
    await this.pool.run("copy", { layers: layers.map((folder) => this.paths.layerDiff(folder)), target });
  }

  unmount(): Promise<void> {
    return Promise.resolve();
  }

  rootPath(key: string): string {
    return this.paths.merged(key);
  }

  writes(key: string, layers: readonly string[]): Writes {
    const lower = this.lowestFirst(layers).reverse();
    return { kind: "copy", folder: this.rootPath(key), lower, form: this.form };
  }

  graphDriver(
    key: string | undefined,
    layers: readonly string[],
  ): { Name: string; Data: Record<string, string> } {
    const top = layers.at(-1);
    if (key === undefined && top === undefined) return { Name: this.name, Data: {} };
    return {
      Name: this.name,
      Data: { dir: key === undefined ? this.paths.layerDiff(top ?? "") : this.rootPath(key) },
    };
  }

  private lowestFirst(layers: readonly string[]): string[] {
    return [join(this.paths.init, "diff"), ...layers.map((folder) => this.paths.layerDiff(folder))];
  }
}
