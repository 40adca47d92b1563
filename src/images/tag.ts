import { EngineError } from "../lib/errors.ts";
import {
  canonical,
  familiar,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from "../lib/reference.ts";
import { nowNs } from "../lib/time.ts";
import type { ImagesContext } from "./deps.ts";
import { publish } from "./publish.ts";
import { resolve } from "./resolve.ts";

/** A reference that can be given to an image: with a tag, without a digest. `invalid` with Docker's sentences. */
export function taggable(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new EngineError("invalid", "refusing to create a tag with a digest reference");
  if (familiarName(reference) === "sha256")
    throw new EngineError("invalid", "refusing to create an ambiguous tag using digest algorithm as name");
  return withDefaultTag(reference);
}

/** Gives an image one more name; another image that had it loses it. */
export function tag(context: ImagesContext, source: string, name: string): void {
  const record = resolve(context.store, source);
  const reference = taggable(name);
  context.store.tag(record.id, canonical(reference), nowNs());
  publish(context, "tag", record.id, familiar(reference));
}
