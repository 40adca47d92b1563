import type { BlobPart } from "../contract.ts";
import { TransportError } from "../errors.ts";
import type { ManifestPlace } from "./manifests.ts";

/**
 * A blob from an offset on (RFC 9110, 14). A registry that serves no parts, or tells another part than was asked for, is
 * read from the beginning.
 */
export async function getBlob(
  place: ManifestPlace,
  digest: string,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<BlobPart> {
  const ask = (from: number) =>
    place.caller.call({
      method: "GET",
      path: `/v2/${place.path}/blobs/${digest}`,
      headers: from > 0 ? { Range: `bytes=${from}-` } : {},
      scopes: place.scopes,
      also: [416],
      ...(signal ? { signal } : {}),
    });
  const answer = await ask(offset);
  if (offset === 0 && answer.status !== 416) return { start: 0, bytes: answer.body() };
  if (answer.status === 206 && rangeStart(answer.headers.get("content-range")) === offset)
    return { start: offset, bytes: answer.body() };
  if (answer.status === 200) return { start: 0, bytes: answer.body() };
  await answer.discard();
  const whole = await ask(0);
  if (whole.status === 200) return { start: 0, bytes: whole.body() };
  await whole.discard();
  throw new TransportError(
    `blob ${digest}: the registry answered ${whole.status} to a request for all of it`,
  );
}

function rangeStart(header: string | null): number | undefined {
  const start = /^bytes (\d{1,16})-\d+\/(?:\d+|\*)$/.exec(header ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

export async function headBlob(place: ManifestPlace, digest: string): Promise<number | undefined> {
  const answer = await place.caller.call({
    method: "HEAD",
    path: `/v2/${place.path}/blobs/${digest}`,
    scopes: place.scopes,
    also: [404],
  });
  await answer.discard();
  return answer.status === 404 ? undefined : Number(answer.headers.get("content-length") ?? 0);
}
