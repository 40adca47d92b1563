import { EngineError } from "../../lib/errors.ts";
import type { UploadRequest } from "../contract.ts";
import { RegistryError, TransportError } from "../errors.ts";
import { leadsToLinkLocal } from "../hosts/link-local.ts";
import type { Answer } from "../http/answer.ts";
import type { ManifestPlace } from "./manifests.ts";

const triesMax = 5;

/** A blob of known size and digest in one piece, any other as it comes. */
export const uploadBlob = (place: ManifestPlace, request: UploadRequest): Promise<void> =>
  request.size === undefined ? uploadStream(place, request) : uploadWhole(place, request, request.size);

/** By the OCI distribution spec's "POST then PUT": each request fewer is a sync of the registry's disk fewer. */
async function uploadWhole(place: ManifestPlace, request: UploadRequest, size: number): Promise<void> {
  const { digest, source, signal } = request;
  for (let attempt = 1; ; attempt++) {
    try {
      const location = locationOf(place, await start(place));
      await put(place, location, digest(), { body: () => source(0), size, signal });
      return;
    } catch (error) {
      await pauseOrThrow(error, attempt, signal);
    }
  }
}

/** By its "Pushing a blob in chunks": POST, PATCH with all that there is, PUT. */
async function uploadStream(place: ManifestPlace, request: UploadRequest): Promise<void> {
  let location = locationOf(place, await start(place));
  let offset = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      location = await patch(place, request, location, offset);
      break;
    } catch (error) {
      await pauseOrThrow(error, attempt, request.signal);
      ({ location, offset } = await resumeAt(place, location));
    }
  }
  await put(place, location, request.digest());
}

const start = (place: ManifestPlace): Promise<Answer> =>
  place.caller.call({ method: "POST", path: `/v2/${place.path}/blobs/uploads/`, scopes: place.scopes });

async function patch(
  place: ManifestPlace,
  request: UploadRequest,
  location: URL,
  offset: number,
): Promise<URL> {
  const answer = await place.caller.call({
    method: "PATCH",
    path: location,
    headers: octets,
    body: () => request.source(offset),
    scopes: place.scopes,
    ...(request.signal ? { signal: request.signal } : {}),
  });
  return locationOf(place, answer, location);
}

/** Where an upload that broke off stands: there, or from the beginning in a new one. */
async function resumeAt(place: ManifestPlace, location: URL): Promise<{ location: URL; offset: number }> {
  try {
    const answer = await place.caller.call({ method: "GET", path: location, scopes: place.scopes });
    await answer.discard();
    const end = /^(?:bytes=)?0-(\d{1,16})$/.exec(answer.headers.get("range") ?? "")?.[1];
    const offset = end === undefined || end === "0" ? 0 : Number(end) + 1;
    return {
      location: answer.headers.has("location") ? locationOf(place, answer, location) : location,
      offset,
    };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { location: locationOf(place, await start(place)), offset: 0 };
  }
}

interface Rest {
  body: () => AsyncIterable<Uint8Array>;
  size: number;
  signal: AbortSignal | undefined;
}

/** Ends an upload, with the blob itself where nothing was sent yet. */
async function put(place: ManifestPlace, location: URL, digest: string, rest?: Rest): Promise<void> {
  const url = new URL(location);
  url.searchParams.set("digest", digest);
  const answer = await place.caller.call({
    method: "PUT",
    path: url,
    body: rest?.body ?? (() => new Uint8Array(0)),
    headers: { ...octets, ...(rest ? { "Content-Length": String(rest.size) } : {}) },
    scopes: place.scopes,
    ...(rest?.signal ? { signal: rest.signal } : {}),
  });
  await answer.discard();
}

const octets = { "Content-Type": "application/octet-stream" };

/** True once the registry has it here too; it may answer with an upload instead, which is then given up. */
export async function mountBlob(place: ManifestPlace, digest: string, from: string): Promise<boolean> {
  const answer = await place.caller.call({
    method: "POST",
    path: `/v2/${place.path}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
    scopes: [...place.scopes, `repository:${from}:pull`],
  });
  await answer.discard();
  if (answer.status === 201) return true;
  if (answer.headers.has("location"))
    await place.caller
      .call({ method: "DELETE", path: locationOf(place, answer), scopes: place.scopes, also: [404, 405] })
      .then((gone) => gone.discard());
  return false;
}

function locationOf(place: ManifestPlace, answer: Answer, before?: URL): URL {
  const location = answer.headers.get("location");
  if (location === null && before !== undefined) return before;
  let url: URL;
  try {
    url = new URL(location ?? "", answer.url);
  } catch (cause) {
    throw new EngineError("internal", `the registry gave a malformed place to upload to: ${location}`, {
      cause,
    });
  }
  if (location === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new EngineError("internal", `the registry gave no place to upload to (${place.path})`);
  if (leadsToLinkLocal(answer.url, url, []))
    throw new EngineError(
      "internal",
      `the registry wants uploads sent to the link-local address ${url.host}: refused`,
    );
  // a registry behind a proxy that ends TLS may tell its own plain address
  if (url.host === answer.url.host) url.protocol = answer.url.protocol;
  return url;
}

/** Before another try, where that may help. */
async function pauseOrThrow(error: unknown, attempt: number, signal: AbortSignal | undefined): Promise<void> {
  if (attempt === triesMax || signal?.aborted || !isPassing(error)) throw error;
  await Bun.sleep(Math.min(5000, 200 * 2 ** attempt));
}

const isPassing = (error: unknown): boolean =>
  error instanceof TransportError ||
  (error instanceof RegistryError && (error.status >= 500 || error.status === 429 || error.status === 416));
