import { EngineError, isKind } from "../lib/errors.ts";
import {
  canonical,
  familiar,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../lib/image/reference.ts";
import { nowNs } from "../lib/time/time.ts";
import type { ImagesContext } from "./deps.ts";
import { publish } from "./publish.ts";
import { resolve } from "./resolve.ts";
import type { ImageRecord } from "./store.ts";

/** A reference that can be given to an image: with a tag, without a digest. `invalid` with Docker's sentences. */
export function taggable(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new EngineError("invalid", "refusing to create a tag with a digest reference");
  if (familiarName(reference) === "sha256")
    throw new EngineError("invalid", "refusing to create an ambiguous tag using digest algorithm as name");
  return withDefaultTag(reference);
}

/** A name that is none names no image either: Docker answers 404. */
function sourceOf({ store }: ImagesContext, source: string): ImageRecord {
  try {
    return resolve(store, source);
  } catch (error) {
    if (isKind(error, "invalid")) throw new EngineError("notFound", error.message, { cause: error });
    throw error;
  }
}

/** Gives an image one more name; another image that had it loses it. */
export function tag(context: ImagesContext, source: string, name: string): void {
  const record = sourceOf(context, source);
  const reference = taggable(name);
  context.store.tag(record.id, canonical(reference), nowNs());
  publish(context, "tag", record.id, familiar(reference));
}
