import { EngineError, messageOf } from "../../lib/errors.ts";
import { formatPlatform, isSamePlatform } from "../../lib/image/platform.ts";
import { familiar, parseReferenceOrId, type Reference, repositoryOf } from "../../lib/image/reference.ts";
import type { Platform } from "../../types/oci.ts";
import { referencesOf } from "../names.ts";
import { keyOf, noSuchImage, resolve } from "../resolve.ts";
import type { ImageRecord, ImageStore } from "../store.ts";

/** An image to save, and the tags it is saved with. */
export interface Selected {
  image: ImageRecord;
  references: Reference[];
}

/**
 * What a list of names means to `save`: a name with a tag that image and tag; a name without one every tag of the
 * repository; an id, or the beginning of one, the image without a name. Each image once, in the order named.
 */
export function select(store: ImageStore, names: readonly string[], platform?: Platform): Selected[] {
  const selected = new Map<string, Selected>();
  const take = (image: ImageRecord, reference?: Reference): void => {
    const one = selected.get(image.id) ?? { image, references: [] };
    selected.set(image.id, one);
    if (reference?.tag === undefined || reference.digest !== undefined) return;
    if (!one.references.some((known) => familiar(known) === familiar(reference)))
      one.references.push(reference);
  };
  for (const name of names) {
    const parsed = parsedName(name);
    if ("id" in parsed) take(resolve(store, name));
    else if (parsed.tag === undefined && parsed.digest === undefined)
      takeRepository(store, name, repositoryOf(parsed), take);
    else take(named(store, parsed), parsed);
  }
  if (platform) for (const { image } of selected.values()) requirePlatform(image, platform);
  return [...selected.values()];
}

/** Docker answers 500 to a name that is none. */
function parsedName(name: string): ReturnType<typeof parseReferenceOrId> {
  try {
    return parseReferenceOrId(name);
  } catch (error) {
    throw new EngineError("internal", messageOf(error), { cause: error });
  }
}

function named(store: ImageStore, reference: Reference): ImageRecord {
  const image = store.get(store.named(keyOf(reference)) ?? "");
  if (!image) throw new EngineError("notFound", "reference does not exist");
  return image;
}

function takeRepository(
  store: ImageStore,
  name: string,
  repository: string,
  take: (image: ImageRecord, reference?: Reference) => void,
): void {
  let found = false;
  for (const image of store.all())
    for (const reference of referencesOf(store, image.id))
      if (repositoryOf(reference) === repository) {
        found = true;
        take(image, reference);
      }
  if (found) return;
  const byId = /^[0-9a-f]{1,64}$/.test(name) ? store.byPrefix(name) : undefined;
  if (!byId) throw noSuchImage(name);
  take(byId);
}

/** Here an image is of one platform only. */
function requirePlatform(image: ImageRecord, platform: Platform): void {
  if (isSamePlatform(image.config, platform)) return;
  throw new EngineError(
    "internal", // Docker's status
    `no suitable export target found for platform ${formatPlatform(platform)}`,
  );
}
