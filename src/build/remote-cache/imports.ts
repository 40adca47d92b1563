import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import type { BuildEvent, BuildRequest, BuildVertex, CachePlace } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import type { KeyedLayer, RemoteLayer } from "./cache-config.ts";
import { type OpenPlace, openPlace, placeName } from "./places.ts";
import { readCache } from "./read.ts";

/** A cache that was imported has not got what it said it has: the build goes on without it. */
export class LostCache extends EngineError {
  readonly place: CachePlace;

  constructor(place: CachePlace, cause: unknown) {
    super("unavailable", `the imported cache ${placeName(place)} failed: ${messageOf(cause)}`, { cause });
    this.place = place;
  }
}

interface Imported {
  place: CachePlace;
  opened: OpenPlace;
  steps: ReadonlyMap<string, RemoteLayer>;
  digests: ReadonlyMap<string, string>;
}

/** The build that imports: what it names, what it works with, and how it is told of what comes. */
export interface ImportingBuild {
  ref: string;
  request: BuildRequest;
  deps: BuildContextDeps;
  signal: AbortSignal;
  emit(event: BuildEvent): void;
  vertex(vertex: BuildVertex): void;
}

/**
 * The caches that a build was told to read (`--cache-from`), for as long as it runs. They are asked before the engine's own;
 * what they say is never written into that one, so a build that does not name them is not touched by
 * them. Layers come when something reads them, verified, and not before.
 */
export class Imports {
  private readonly build: ImportingBuild;
  private readonly reading: Promise<Imported | undefined>[];
  /** those that have been read */
  private readonly read: Imported[] = [];
  /** layers that steps were found to have, by diff id, and where they are */
  private readonly found = new Map<string, { layer: RemoteLayer; from: Imported }>();
  private readonly coming = new Map<string, Promise<void>>();
  /** layers of base images that are still at their registries, and what brings them */
  private readonly bases = new Map<string, () => Promise<void>>();

  constructor(build: ImportingBuild) {
    this.build = build;
    this.reading = build.request.cacheFrom.map((place) => this.open(place));
  }

  /** The first result that a cache has under this key. */
  async find(key: string): Promise<KeyedLayer | undefined> {
    for (const reading of this.reading) {
      const from = await reading;
      const layer = from?.steps.get(key);
      if (from === undefined || layer === undefined) continue;
      if (!this.found.has(layer.layer)) this.found.set(layer.layer, { layer, from });
      return layer;
    }
    return undefined;
  }

  /** What a cache says of files in layers that it has. */
  digest(key: string): string | undefined {
    return this.read.find(({ digests }) => digests.has(key))?.digests.get(key);
  }

  /** Where a layer is that has not come yet; undefined for one that is here, or that is not of these caches. */
  remote(diffId: string): RemoteLayer | undefined {
    if (this.build.deps.snapshots.layer(diffId) !== undefined) return undefined;
    return this.found.get(diffId)?.layer;
  }

  /** A base image whose layers are not here: `pull` brings them all, once one of them is needed. */
  addBase(layers: readonly string[], pull: () => Promise<void>): void {
    let pulling: Promise<void> | undefined;
    const once = (): Promise<void> => {
      pulling ??= pull();
      return pulling;
    };
    for (const layer of layers) this.bases.set(layer, once);
  }

  /** Brings those of these layers that are elsewhere: in a cache, or in a base image. */
  async bring(layers: readonly string[]): Promise<void> {
    const { snapshots } = this.build.deps;
    const missing = layers.filter((layer) => snapshots.layer(layer) === undefined);
    await Promise.all(missing.map((layer) => this.bases.get(layer)?.() ?? this.bringOnce(layer)));
  }

  private bringOnce(diffId: string): Promise<void> {
    const coming = this.coming.get(diffId) ?? this.fetch(diffId);
    this.coming.set(diffId, coming);
    return coming;
  }

  private async fetch(diffId: string): Promise<void> {
    const { build } = this;
    const found = this.found.get(diffId);
    if (found === undefined) return;
    const { layer, from } = found;
    const { reference, repositories: sources } = from.opened;
    const { digest, size } = layer.blob;
    const name = `fetching ${digest} from the cache ${placeName(from.place)}`;
    const vertex = { digest: sha256(`${build.ref} fetch ${diffId}`), inputs: [], name, cached: false };
    const started = Date.now();
    const status = { id: digest, vertex: vertex.digest, total: size, started };
    let current = 0;
    const end = (error?: string): void => {
      const completed = Date.now();
      // a step that has something open is not shown as ended
      build.emit({ kind: "status", status: { ...status, current, completed } });
      build.vertex({ ...vertex, started, completed, ...(error === undefined ? {} : { error }) });
    };
    build.vertex({ ...vertex, started });
    try {
      await build.deps.images.bringLayer({
        diffId,
        reference,
        blob: layer.blob,
        sources,
        signal: build.signal,
        progress: (bytes) => {
          current = bytes;
          build.emit({ kind: "status", status: { ...status, current } });
        },
      });
      current = size;
      end();
    } catch (error) {
      end(build.signal.aborted ? "context canceled" : messageOf(error));
      build.signal.throwIfAborted();
      throw new LostCache(from.place, error);
    }
  }

  /** A cache that cannot be read is told and passed over: the build only takes longer. */
  private async open(place: CachePlace): Promise<Imported | undefined> {
    const { build } = this;
    const name = `importing cache manifest from ${placeName(place)}`;
    const vertex = { digest: sha256(`${build.ref} ${name}`), inputs: [], name, cached: false };
    const started = Date.now();
    build.vertex({ ...vertex, started });
    try {
      const opened = await openPlace(build, place, "read");
      const { steps, digests } = await readCache(opened, build.signal);
      build.vertex({ ...vertex, started, completed: Date.now() });
      const imported = { place, opened, digests, steps: new Map(steps.map((step) => [step.key, step])) };
      this.read.push(imported);
      return imported;
    } catch (error) {
      const text = `failed to configure ${place.type} cache importer: ${messageOf(error)}`;
      build.vertex({ ...vertex, started, completed: Date.now(), error: text });
      return undefined;
    }
  }
}
