import { isKind, messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { turns } from "../../lib/turns.ts";
import type { Snapshots } from "../../snapshots/contract.ts";
import type { State } from "../../state/database.ts";
import type { Leases } from "../../state/leases.ts";
import type { ImageStore } from "../store.ts";

interface ReaperDeps {
  state: State;
  store: ImageStore;
  snapshots: Snapshots;
  leases: Leases;
  logger: Logger;
}

/**
 * Deletes layers, and never one that is about to be used. An import learns its layer's id only when the layer is
 * complete, so for that moment no lease can protect it: while any such writer is at work, deletions wait.
 */
export class LayerReaper {
  private readonly deps: ReaperDeps;
  private writers = 0;
  private readonly waiting = new Set<string>();
  /** layers of removed images, also of earlier runs, that a container or an operation still stands on */
  private readonly later = new Set<string>();
  /** `later` is looked at in the next turn */
  private looking = false;

  constructor(deps: ReaperDeps) {
    this.deps = deps;
    const { kept } = this.held();
    for (const layer of this.underContainers()) if (!kept.has(layer)) this.later.add(layer);
    deps.snapshots.onRemoved(() => this.again());
    deps.leases.onEnd(() => this.again());
  }

  /** Runs work that makes layers of ids not yet known; what it made and did not use goes by `discard`. */
  async whileWriting<T>(work: () => Promise<T>): Promise<T> {
    this.writers++;
    try {
      return await work();
    } finally {
      this.writers--;
      if (this.writers === 0) await this.flush();
    }
  }

  /** The layers that containers stand on: an image may go by force while its containers stay. */
  underContainers(): Set<string> {
    const rows = this.deps.state.db
      .query<{ layer: string }, []>(
        "SELECT DISTINCT layer.value AS layer FROM containers, json_each(containers.spec, '$.layers') AS layer",
      )
      .all();
    return new Set(rows.map(({ layer }) => layer));
  }

  /** Layers that results of build steps are: they are kept until the build cache lets go of them. */
  inBuildCache(): Set<string> {
    const rows = this.deps.state.db
      .query<{ layer: string }, []>("SELECT DISTINCT layer FROM build_cache")
      .all();
    return new Set(rows.map(({ layer }) => layer));
  }

  /** Every layer that is held now: by images and the build cache, and by containers and leases. */
  private held(): { kept: Set<string>; used: Set<string> } {
    const kept = this.inBuildCache();
    for (const image of this.deps.store.all()) for (const layer of image.layers) kept.add(layer);
    return { kept, used: new Set([...this.underContainers(), ...this.deps.leases.held("layer")]) };
  }

  /** Deletes those of these layers that nothing holds: now, or once no writer is left. Returns what went now. */
  async discard(diffIds: Iterable<string>): Promise<string[]> {
    for (const diffId of diffIds) this.waiting.add(diffId);
    return this.writers > 0 ? [] : await this.flush();
  }

  /** The same for layers of an image that goes: what a container or an operation still holds goes with that one. */
  async release(diffIds: Iterable<string>): Promise<void> {
    const layers = [...diffIds];
    for (const diffId of layers) this.later.add(diffId);
    await this.discard(layers);
  }

  /** Once for all that ended in this turn. */
  private again(): void {
    if (this.later.size === 0 || this.looking) return;
    this.looking = true;
    setImmediate(() => {
      this.looking = false;
      const free = [...this.later].filter((diffId) => !this.deps.snapshots.isLayerUsed(diffId));
      if (free.length === 0) return;
      this.discard(free).catch((error: unknown) => {
        this.deps.logger.warn("layers could not be deleted", { error: messageOf(error) });
      });
    });
  }

  /** What is held is read anew after each pause: others went on meanwhile. */
  private async flush(): Promise<string[]> {
    const gone: string[] = [];
    let held = this.held();
    let turn = turns();
    for (const diffId of this.waiting) {
      const pause = turn();
      if (pause !== undefined) {
        await pause;
        if (this.writers > 0) break; // the last of them goes on here
        held = this.held();
        turn = turns();
      }
      this.waiting.delete(diffId);
      if (held.kept.has(diffId)) this.later.delete(diffId); // it goes with what keeps it
      if (held.kept.has(diffId) || held.used.has(diffId)) continue;
      try {
        if (this.deps.snapshots.layer(diffId)) {
          this.deps.snapshots.removeLayer(diffId);
          gone.push(diffId);
        }
        this.later.delete(diffId);
      } catch (error) {
        // a container's files go after the container itself
        if (this.later.has(diffId) && isKind(error, "conflict")) continue;
        // it stays on disk, and the next collection tries again
        this.deps.logger.warn("a layer could not be deleted", { layer: diffId, error: messageOf(error) });
      }
    }
    return gone;
  }
}
