import { familiar, parseReference, type Reference } from "../lib/image/reference.ts";
import type { ImageStore } from "./store.ts";

/** Familiar names of an image: its tags, and the digests it is known by. */
interface Names {
  tags: string[];
  digests: string[];
}

/** The references of an image, sorted by their canonical spelling. */
export const referencesOf = (store: ImageStore, id: string): Reference[] =>
  store.referencesOf(id).map((text) => parseReference(text));

export function split(references: readonly Reference[]): Names {
  const digests = references.filter(({ digest }) => digest !== undefined);
  const tags = references.filter(({ digest }) => digest === undefined);
  return { tags: tags.map(familiar), digests: digests.map(familiar) };
}

export const namesOf = (store: ImageStore, id: string): Names => split(referencesOf(store, id));
