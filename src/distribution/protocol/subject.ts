import { EngineError, isKind } from "../../lib/errors.ts";
import { isSha256, sha256 } from "../../lib/image/digest.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import { RegistryError } from "../errors.ts";
import { getManifest, type ManifestPlace, manifestMax, putManifest } from "./manifests.ts";

/** Writes that others may undo by writing at the same moment. */
const writesMax = 10;
/** before a list is read again, at least and at most */
const settleMinMs = 50;
const settleMaxMs = 2000;

/**
 * What a manifest refers to, for registries that do not list it themselves (OCI distribution spec 1.1, "Pushing Manifests
 * with Subject"): an index under the tag `sha256-<hex>` of the subject has an entry for the manifest.
 *
 * The protocol has no way to write only over what was read: who writes between another's reading and writing loses an entry.
 * So pushes of this engine take turns, and the list is read again after it was written, once others that had read it before
 * have had the time to write it: some times as long as we took for both. Entries that such writers lose are theirs to find.
 */
export async function listUnderSubject(
  place: ManifestPlace,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const entry = entryOf(mediaType, bytes);
  if (entry === undefined) return;
  const tag = entry.subject.replace(":", "-");
  await inTurn(`${place.caller.endpoint.name}/${place.path}:${tag}`, async () => {
    for (let write = 1; ; write++) {
      const began = performance.now();
      try {
        const index = await currentIndex(place, tag);
        if (index.manifests.some((each) => isEntry(each, entry.descriptor.digest))) return;
        if (write > writesMax) break;
        index.manifests.push(entry.descriptor);
        await putIndex(place, tag, index);
      } catch (error) {
        // registries stumble over a tag that is written while they read it
        if (write > writesMax || !(error instanceof RegistryError) || error.status < 500) throw error;
      }
      await Bun.sleep(settleMs(performance.now() - began));
    }
    throw new EngineError("conflict", `others write ${place.path}:${tag} all the time`);
  });
}

/** By chance longer or shorter: two that disturbed each other are to do so no more. */
const settleMs = (tookMs: number): number =>
  Math.min(settleMaxMs, Math.max(settleMinMs, 2 * tookMs) * (1 + Math.random()));

async function putIndex(place: ManifestPlace, tag: string, index: Index): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  if (bytes.length > manifestMax)
    throw new EngineError("tooLarge", `the list ${place.path}:${tag} would be over ${manifestMax} bytes`);
  await putManifest(place, tag, mediaTypes.ociIndex, bytes);
}

/** The last of those that write a list, by its place. */
const turns = new Map<string, Promise<void>>();

async function inTurn(key: string, work: () => Promise<void>): Promise<void> {
  const turn = (turns.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
  turns.set(key, turn);
  try {
    await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}

interface Index {
  manifests: unknown[];
}

interface Named {
  mediaType?: unknown;
  artifactType?: unknown;
  annotations?: unknown;
  config?: { mediaType?: unknown };
  subject?: { digest?: unknown };
}

/** Undefined where it names no subject. */
function entryOf(
  mediaType: string,
  bytes: Uint8Array,
): { subject: string; descriptor: Descriptor } | undefined {
  let manifest: Named | null;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes)) as Named | null;
  } catch (cause) {
    throw new EngineError("internal", "a manifest that was pushed is no JSON", { cause });
  }
  const subject = manifest?.subject?.digest;
  if (typeof subject !== "string" || !isSha256(subject)) return undefined;
  const { artifactType, config, annotations } = manifest ?? {};
  const type = typeof artifactType === "string" && artifactType !== "" ? artifactType : config?.mediaType;
  const descriptor: Descriptor = {
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
    ...(typeof type === "string" ? { artifactType: type } : {}),
    ...(typeof annotations === "object" && annotations !== null
      ? { annotations: annotations as Record<string, string> }
      : {}),
  };
  return { subject, descriptor };
}

/** As it is, with what other clients wrote; an empty one where there is none. */
async function currentIndex(place: ManifestPlace, tag: string): Promise<Index> {
  try {
    const { mediaType, bytes } = await getManifest(place, tag);
    const index = JSON.parse(new TextDecoder().decode(bytes)) as { manifests?: unknown };
    if (mediaType === mediaTypes.ociIndex && Array.isArray(index.manifests))
      return { ...index, manifests: index.manifests };
  } catch (error) {
    if (error instanceof RegistryError && isKind(error, "notFound"))
      return Object.assign({ schemaVersion: 2, mediaType: mediaTypes.ociIndex }, { manifests: [] });
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new EngineError(
    "conflict",
    `the tag ${place.path}:${tag} is not a list of what refers to a manifest`,
  );
}

const isEntry = (value: unknown, digest: string): boolean =>
  (value as { digest?: unknown } | null)?.digest === digest;
