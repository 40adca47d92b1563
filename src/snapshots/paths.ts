import { join } from "node:path";

/** Where everything of this service lies below the data root. */
export interface Paths {
  layers: string;
  snapshots: string;
  trash: string;
  layer(folder: string): string;
  layerDiff(folder: string): string;
  snapshot(key: string): string;
  merged(key: string): string;
  /** the lowest layer of every snapshot, see `init-layer.ts` */
  init: string;
  /** the same of a build step's */
  stepInit: string;
}

export function pathsOf(dataRoot: string): Paths {
  const layers = join(dataRoot, "layers");
  const snapshots = join(dataRoot, "snapshots");
  return {
    layers,
    snapshots,
    trash: join(dataRoot, "trash"),
    layer: (folder) => join(layers, folder),
    layerDiff: (folder) => join(layers, folder, "diff"),
    snapshot: (key) => join(snapshots, key),
    merged: (key) => join(snapshots, key, "merged"),
    init: join(layers, "init"),
    stepInit: join(layers, "init-step"),
  };
}

/** Folders being made; swept at start. */
export const temporaryPrefix = "tmp-";
