import { EngineError } from "../lib/errors.ts";
import { sha256 } from "../lib/image/digest.ts";
import { canonical, familiar, parseReference, type Reference } from "../lib/image/reference.ts";
import { nowNs } from "../lib/time/time.ts";
import type { ImageConfig } from "../types/oci.ts";
import { parseConfig } from "./config.ts";
import type { ImagesContext } from "./deps.ts";
import { publish } from "./publish.ts";
import type { ImageRecord } from "./store.ts";
import { taggable } from "./tag.ts";

interface AddOptions {
  parent?: string;
  references?: readonly Reference[];
  /** when the names count as given; absent = the image keeps its time (as `load` does) */
  taggedNs?: bigint;
}

/**
 * Adds an image whose layers are there, and names it: one transaction. The configuration's text is kept as it is,
 * for the id is its digest.
 */
export function addText(context: ImagesContext, text: string, options: AddOptions): ImageRecord {
  const config = parseConfig(text);
  const size = config.rootfs.diff_ids.reduce((total, diffId) => total + layerSize(context, diffId), 0);
  const image = {
    id: sha256(text),
    text,
    size,
    ...(options.parent === undefined ? {} : { parent: options.parent }),
  };
  return context.store.add(image, (options.references ?? []).map(canonical), options.taggedNs);
}

function layerSize({ snapshots }: ImagesContext, diffId: string): number {
  const layer = snapshots.layer(diffId);
  if (layer) return layer.size;
  throw new EngineError("internal", `cannot add the image: its layer ${diffId} is missing`);
}

/** Adds an image made by this engine (import, commit, build). Tells `create`, and `tag` where a name was given. */
export function add(
  context: ImagesContext,
  config: ImageConfig,
  options: { parent?: string; reference?: string; references?: readonly string[] } = {},
): ImageRecord {
  const names = options.reference === undefined ? (options.references ?? []) : [options.reference];
  const references = names.map(taggable);
  const record = addText(context, JSON.stringify(config), {
    references,
    taggedNs: nowNs(),
    ...(options.parent === undefined ? {} : { parent: options.parent }),
  });
  // BuildKit names the image as it was asked to, without a tag that nobody gave
  const told = options.references ? names.map((name) => parseReference(name)) : references;
  const tellTags = (): void => {
    for (const reference of told) publish(context, "tag", record.id, familiar(reference));
  };
  // Docker's builds tag first, its commits and classic builds create first
  if (options.references) tellTags();
  publish(context, "create", record.id);
  if (!options.references) tellTags();
  return record;
}
