import type { Repository } from "../../distribution/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { parseReference } from "../../lib/image/reference.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { PutRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { mounted } from "../push/layer.ts";
import { parseManifest } from "./manifest.ts";

/**
 * Puts a manifest or index at a registry. Blobs of another repository there are taken over first, or sent again where
 * the registry takes none over; it checks the digest of each, as a manifest's own says what they are.
 */
export async function putRemoteManifest(context: ImagesContext, request: PutRequest): Promise<string> {
  const { reference, credentials, signal, mediaType, bytes, from } = request;
  const parsed = parseManifest(bytes, mediaType);
  const stop = new AbortController();
  const access = {
    signal: AbortSignal.any([signal, stop.signal]),
    ...(credentials ? { credentials } : {}),
  };
  const target = context.distribution.target(reference, access);
  if (parsed.kind === "image" && from !== undefined && from !== reference.path) {
    const there = parseReference(`${reference.domain}/${from}`);
    if (there.domain !== reference.domain || there.path !== from)
      throw new EngineError("invalid", `no repository: ${JSON.stringify(from)}`);
    const source = context.distribution.sources(there, access).find(({ isMirror }) => !isMirror);
    if (!source) throw new EngineError("internal", `${from} has no registry of its own`);
    const ways = { source, from, target, signal: access.signal };
    const bringing = bringAll(context, [parsed.config, ...parsed.layers], ways, reference.domain);
    try {
      await Promise.all(bringing);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(bringing);
      throw error;
    }
  }
  return (await target.putManifest(reference.tag ?? sha256(bytes), mediaType, bytes)).digest;
}

/** As many at a time as go to a registry. */
function bringAll(
  context: ImagesContext,
  blobs: readonly Descriptor[],
  ways: Ways,
  registry: string,
): Promise<void>[] {
  const uploads = context.uploads.of(registry);
  const each = new Map(blobs.map((blob) => [blob.digest, blob]));
  return [...each.values()].map(async (blob) => {
    const release = await uploads.acquire(ways.signal);
    await bring(blob, ways).finally(release);
  });
}

interface Ways {
  source: Repository;
  /** path of `source` */
  from: string;
  target: Repository;
  signal: AbortSignal;
}

async function bring(blob: Descriptor, { source, from, target, signal }: Ways): Promise<void> {
  const { digest, size } = blob;
  if (await mounted(target, digest, from)) return;
  // what is served from elsewhere (Windows bases) need not be at the registry
  if (blob.urls?.length || (await target.blobSize(digest)) === size) return;
  await target.upload({ digest: () => digest, size, source: () => read(source, digest, signal), signal });
}

async function* read(source: Repository, digest: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* (await source.blob(digest, 0, signal)).bytes;
}
