import { EngineError, isKind } from "../../lib/errors.ts";
import { isSha256 } from "../../lib/image/digest.ts";
import type { Descriptor } from "../../types/oci.ts";
import { RegistryError } from "../errors.ts";
import type { Answer } from "../http/answer.ts";
import { getManifest, type ManifestPlace, manifestMax, nextPage } from "./manifests.ts";

/** Far more than one image has: a registry could go on for ever. */
const referrersMax = 10_000;
const pagesMax = 1000;
/** of all pages together: entries with long annotations are big */
const bytesMax = 4 * manifestMax;

/**
 * What refers to a manifest as its `subject`: signatures, SBOMs and the like (OCI distribution spec 1.1, "Listing
 * Referrers"). A registry without that API may have them in an index under the tag `sha256-<hex>`.
 */
export async function listReferrers(
  place: ManifestPlace,
  digest: string,
  artifactType: string | undefined,
): Promise<Descriptor[]> {
  const found = (await fromApi(place, digest, artifactType)) ?? (await fromTag(place, digest));
  return artifactType === undefined ? found : found.filter((each) => each.artifactType === artifactType);
}

/** Undefined where the registry has no such API. */
async function fromApi(
  place: ManifestPlace,
  digest: string,
  artifactType: string | undefined,
): Promise<Descriptor[] | undefined> {
  const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found: Descriptor[] = [];
  let left = bytesMax;
  let path: string | URL = `/v2/${place.path}/referrers/${digest}${query}`;
  for (let page = 0; page < pagesMax; page++) {
    const answer: Answer = await place.caller.call({
      method: "GET",
      path,
      headers: { Accept: "application/vnd.oci.image.index.v1+json" },
      scopes: place.scopes,
      also: [404],
    });
    const type = (answer.headers.get("content-type") ?? "").split(";", 1)[0]?.trim();
    if (answer.status === 404 || type !== "application/vnd.oci.image.index.v1+json") {
      await answer.discard();
      return undefined;
    }
    const pageMax = Math.min(manifestMax, left);
    const bytes = await answer.bytes(pageMax + 1);
    if (bytes.length > pageMax) throw tooMany(digest);
    left -= bytes.length;
    found.push(...referrersOf(bytes));
    if (found.length > referrersMax) throw tooMany(digest);
    const next = nextPage(answer);
    if (next === undefined) return found;
    path = next;
  }
  throw tooMany(digest);
}

async function fromTag(place: ManifestPlace, digest: string): Promise<Descriptor[]> {
  try {
    return referrersOf((await getManifest(place, digest.replace(":", "-"))).bytes);
  } catch (error) {
    if (error instanceof RegistryError && isKind(error, "notFound")) return [];
    throw error;
  }
}

const tooMany = (digest: string): EngineError =>
  new EngineError(
    "tooLarge",
    `the list of what refers to ${digest} is over ${manifestMax} bytes a page, ${bytesMax} bytes in all, ${pagesMax} pages or ${referrersMax} entries`,
  );

const malformed = (): EngineError => new EngineError("invalid", "the index of referrers is malformed");

function referrersOf(bytes: Uint8Array): Descriptor[] {
  let value: { manifests?: unknown } | null;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new EngineError("invalid", "the index of referrers is malformed", { cause });
  }
  const list = value?.manifests ?? [];
  if (!Array.isArray(list)) throw malformed();
  return list.map(descriptorOf);
}

function descriptorOf(value: unknown): Descriptor {
  const { mediaType, digest, size, artifactType, annotations } = (value ?? {}) as Record<string, unknown>;
  if (typeof mediaType !== "string" || typeof digest !== "string" || !isSha256(digest)) throw malformed();
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw malformed();
  const notes = Object.entries((annotations ?? {}) as Record<string, unknown>).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === "string" ? { artifactType } : {}),
    ...(notes.length > 0 ? { annotations: Object.fromEntries(notes) } : {}),
  };
}
