import { EngineError } from "../../lib/errors.ts";
import { isSha256, sha256 } from "../../lib/image/digest.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import type { PutResult, RemoteManifest } from "../contract.ts";
import { printable } from "../errors.ts";
import type { Answer } from "../http/answer.ts";
import type { Caller } from "./call.ts";

/** Bytes of a manifest or index. The specification asks for at least 4 MiB; real ones are below 1 MiB. */
export const manifestMax = 4 * 1024 * 1024;

const accepted = [
  mediaTypes.ociIndex,
  mediaTypes.dockerIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v1+json",
].join(", ");

export interface ManifestPlace {
  caller: Caller;
  /** repository's path */
  path: string;
  scopes: readonly string[];
}

const pathOf = ({ path }: ManifestPlace, tagOrDigest: string): string =>
  `/v2/${path}/manifests/${tagOrDigest}`;

export async function getManifest(place: ManifestPlace, tagOrDigest: string): Promise<RemoteManifest> {
  const answer = await place.caller.call({
    method: "GET",
    path: pathOf(place, tagOrDigest),
    headers: { Accept: accepted },
    scopes: place.scopes,
  });
  const bytes = await answer.bytes(manifestMax + 1);
  if (bytes.length > manifestMax)
    throw new EngineError("tooLarge", `the manifest of ${tagOrDigest} is over ${manifestMax} bytes`);
  const digest = sha256(bytes);
  if (isSha256(tagOrDigest) && digest !== tagOrDigest)
    throw new EngineError("invalid", `manifest verification failed for digest ${tagOrDigest}`);
  return { mediaType: mediaTypeOf(answer, bytes), digest, bytes };
}

/** The type in the manifest itself counts, so that a server's mistake about it does no harm; then the header's. */
function mediaTypeOf(answer: Answer, bytes: Uint8Array): string {
  const told = (answer.headers.get("content-type") ?? "").split(";", 1)[0]?.trim() ?? "";
  const own = /"mediaType"\s*:\s*"([^"]{1,255})"/.exec(Buffer.from(bytes).toString("utf8", 0, 4096));
  return told === "" || told === "application/json" || told === "text/plain" ? (own?.[1] ?? told) : told;
}

export async function headManifest(
  place: ManifestPlace,
  tagOrDigest: string,
): Promise<Descriptor | undefined> {
  const answer = await place.caller.call({
    method: "HEAD",
    path: pathOf(place, tagOrDigest),
    headers: { Accept: accepted },
    scopes: place.scopes,
  });
  await answer.discard();
  const digest = answer.headers.get("docker-content-digest") ?? "";
  const size = Number(answer.headers.get("content-length") ?? Number.NaN);
  if (!isSha256(digest) || !Number.isSafeInteger(size)) return undefined;
  const mediaType = (answer.headers.get("content-type") ?? "").split(";", 1)[0]?.trim() ?? "";
  return { mediaType, digest, size };
}

/** `listsSubject`: the registry lists it by itself among what refers to its subject. */
export async function putManifest(
  place: ManifestPlace,
  tagOrDigest: string,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PutResult & { listsSubject: boolean }> {
  const answer = await place.caller.call({
    method: "PUT",
    path: pathOf(place, tagOrDigest),
    headers: { "Content-Type": mediaType },
    body: () => bytes,
    scopes: place.scopes,
  });
  await answer.discard();
  const digest = sha256(bytes);
  const told = answer.headers.get("docker-content-digest");
  if (told !== null && told !== digest && isSha256(told))
    throw new EngineError("internal", `the registry stored the manifest ${digest} as ${told}`);
  return {
    digest,
    warnings: warningsOf(answer.headers.get("warning")),
    listsSubject: answer.headers.has("oci-subject"),
  };
}

/** `299 - "text"` (OCI distribution spec, "Warnings"). */
const warningsOf = (header: string | null): string[] =>
  [...(header ?? "").matchAll(/299 - "((?:[^"\\]|\\.){0,300})"/g)].map(([, text = ""]) =>
    printable(text.replaceAll(/\\(.)/g, "$1")),
  );

const tagsPageMax = 1024 * 1024;
/** A registry could go on for ever. */
const pagesMax = 10_000;

/** Every tag, page by page. */
export async function* listTags(place: ManifestPlace): AsyncGenerator<string> {
  let path: string | URL = `/v2/${place.path}/tags/list`;
  for (let page = 0; page < pagesMax; page++) {
    const answer: Answer = await place.caller.call({ method: "GET", path, scopes: place.scopes });
    const text = await answer.text(tagsPageMax + 1);
    if (text.length > tagsPageMax)
      throw new EngineError("tooLarge", `the list of tags of ${place.path} is over ${tagsPageMax} bytes`);
    yield* tagsOf(text);
    const next = nextPage(answer);
    if (next === undefined) return;
    path = next;
  }
  throw new EngineError("tooLarge", `the list of tags of ${place.path} has over ${pagesMax} pages`);
}

/** Where a list goes on (RFC 8288): at the same registry, and elsewhere than there. */
export function nextPage({ headers, url }: Answer): URL | undefined {
  const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headers.get("link") ?? "")?.[1];
  if (next === undefined || !URL.canParse(next, url.href)) return undefined;
  const place = new URL(next, url);
  return place.origin !== url.origin || place.href === url.href ? undefined : place;
}

function tagsOf(text: string): string[] {
  let value: { tags?: unknown };
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError("internal", "the list of tags is not JSON", { cause });
  }
  const tags = Array.isArray(value?.tags) ? value.tags : [];
  return tags.filter((tag): tag is string => typeof tag === "string" && /^\w[\w.-]{0,127}$/.test(tag));
}
