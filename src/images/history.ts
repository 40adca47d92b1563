import { EngineError } from "../lib/errors.ts";
import { parseNs } from "../lib/time/time.ts";
import type { ImageHistoryItem } from "../types/api.ts";
import type { ImagesContext } from "./deps.ts";
import { namesOf } from "./names.ts";
import { platformOf, requirePlatform } from "./platform.ts";
import { resolve } from "./resolve.ts";
import type { ImageRecord, ImageStore } from "./store.ts";

/** `GET /images/{name}/history`: newest step first; ids and names of the image and of what it was made from here. */
export function history(
  { store, snapshots }: ImagesContext,
  text: string,
  platform: string | undefined,
): ImageHistoryItem[] {
  const image = resolve(store, text);
  requirePlatform(image, text, platformOf(platform));
  const layers = [...image.layers];
  const items = (image.config.history ?? []).map((entry): ImageHistoryItem => {
    const layer = entry.empty_layer ? undefined : layers.shift();
    return {
      Comment: entry.comment ?? "",
      Created: Math.trunc(Number(parseNs(entry.created ?? "") ?? 0n) / 1e9),
      CreatedBy: entry.created_by ?? "",
      Id: "<missing>",
      Size: layer === undefined ? 0 : sizeOf(snapshots.layer(layer), layer),
      Tags: null,
    };
  });
  return withAncestors(store, image, items.reverse());
}

function sizeOf(layer: { size: number } | undefined, diffId: string): number {
  if (layer) return layer.size;
  throw new EngineError("internal", `layer ${diffId} is missing`);
}

function withAncestors(
  store: ImageStore,
  newest: ImageRecord,
  items: ImageHistoryItem[],
): ImageHistoryItem[] {
  let image: ImageRecord | undefined = newest;
  for (const item of items) {
    if (!image) break;
    const { tags } = namesOf(store, image.id);
    item.Id = image.id;
    item.Tags = tags.length > 0 ? tags : null;
    image = store.get(image.parent);
  }
  return items;
}
