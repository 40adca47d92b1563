import { isSha256, sha256 } from "../../lib/digest.ts";
import { EngineError, isKind } from "../../lib/errors.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import { RegistryError } from "../errors.ts";
import { getManifest, type ManifestPlace, manifestMax, putManifest } from "./manifests.ts";

/**
 * What a manifest refers to, for registries that do not list it themselves (OCI distribution spec 1.1, "Pushing Manifests
 * with Subject"): an index under the tag `sha256-<hex>` of the subject has an entry for the manifest.
 */
export async function listUnderSubject(
  place: ManifestPlace,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const entry = entryOf(mediaType, bytes);
  if (entry === undefined) return;
  const tag = entry.subject.replace(":", "-");
  const index = await currentIndex(place, tag);
  if (index.manifests.some((each) => isEntry(each, entry.descriptor.digest))) return;
  index.manifests.push(entry.descriptor);
  const updated = new TextEncoder().encode(JSON.stringify(index));
  if (updated.length > manifestMax)
    throw new EngineError(
      "tooLarge",
      `the list of what refers to ${entry.subject} is over ${manifestMax} bytes`,
    );
  await putManifest(place, tag, mediaTypes.ociIndex, updated);
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
async function currentIndex(place: ManifestPlace, tag: string): Promise<{ manifests: unknown[] }> {
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
