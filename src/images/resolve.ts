import { EngineError, isKind } from "../lib/errors.ts";
import { digestProblem } from "../lib/image/digest.ts";
import {
  canonical,
  familiar,
  parseReferenceOrId,
  type Reference,
  withDefaultTag,
} from "../lib/image/reference.ts";
import type { Image } from "./contract.ts";
import type { ImageRecord, ImageStore } from "./store.ts";

/** The key a reference is kept by: with a digest the tag counts for nothing, without one it defaults to latest. */
export function keyOf(reference: Reference): string {
  if (reference.digest === undefined) return canonical(withDefaultTag(reference));
  const { domain, path, digest } = reference;
  return canonical({ domain, path, digest });
}

/** Finds an image by whole id, reference, or unique beginning of its id, in this order, as Docker does. */
export function resolve(store: ImageStore, text: string): ImageRecord {
  const parsed = parseReferenceOrId(text);
  if ("id" in parsed) {
    const record = store.get(parsed.id);
    if (record) return record;
    throw noSuchImage(parsed.id);
  }
  const record = store.get(store.named(keyOf(parsed)) ?? "") ?? byPrefix(store, text);
  if (record) return record;
  throw noSuchImage(familiar(withDefaultTag(parsed)));
}

export const noSuchImage = (name: string): EngineError =>
  new EngineError("notFound", `No such image: ${name}`);

/** `sha256:ab12` and `ab12` are beginnings of an id; a whole digest was looked up before. */
function byPrefix(store: ImageStore, text: string): ImageRecord | undefined {
  const hex = text.startsWith("sha256:") ? text.slice("sha256:".length) : text;
  return /^[0-9a-f]{1,64}$/.test(hex) && digestProblem(text) !== undefined ? store.byPrefix(hex) : undefined;
}

export const toImage = (record: ImageRecord): Image => ({
  id: record.id,
  config: record.config,
  layers: [...record.layers],
});

/** Whether the reference names this image now; false for text that is no reference. */
export function isNamed(store: ImageStore, text: string, id: string): boolean {
  try {
    const parsed = parseReferenceOrId(text);
    return "id" in parsed ? parsed.id === id : store.named(keyOf(parsed)) === id;
  } catch (error) {
    if (isKind(error, "invalid")) return false;
    throw error;
  }
}
