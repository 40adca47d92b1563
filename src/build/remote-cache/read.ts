import { configSizeMax, parseConfig } from "../../images/config.ts";
import { readSmallBlob } from "../../images/pull/download.ts";
import { type FoundManifest, findManifest } from "../../images/pull/resolve.ts";
import { descriptorOf, descriptorsOf } from "../../images/remote/manifest.ts";
import { isLayer } from "../../images/remote/media-types.ts";
import { EngineError } from "../../lib/errors.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import {
  cacheConfigType,
  configBytesMax,
  parseCacheConfig,
  parseJson,
  parseRecords,
  type RemoteCache,
} from "./cache-config.ts";
import type { OpenPlace } from "./places.ts";

const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];
/** images of an index whose configurations are looked into */
const imagesMax = 16;

/**
 * The steps that a place has results of: a cache of its own (one manifest, or in the older form an index, with a
 * configuration), or images with a cache in their configurations (`type=inline`). Nothing but descriptions is read.
 */
export async function readCache({ repositories, tag }: OpenPlace, signal: AbortSignal): Promise<RemoteCache> {
  const found = await findManifest(repositories, tag);
  const { manifest, sources } = found;
  const value = objectOf(manifest.bytes);
  if (!indexTypes.includes(manifest.mediaType)) return await readManifest(found, signal);
  const children = descriptorsOf(value["manifests"], "manifests");
  const config = children.find(({ mediaType }) => mediaType === cacheConfigType);
  if (config !== undefined) return await readOwn(found, config, children, signal);
  const images = children.filter(
    ({ mediaType, platform }) => isImage(mediaType) && platform?.os !== "unknown",
  );
  const read = images
    .slice(0, imagesMax)
    .map(async ({ digest }) => readManifest(await findManifest(sources, digest), signal));
  const caches = await Promise.all(read);
  return {
    steps: caches.flatMap(({ steps }) => steps),
    digests: new Map(caches.flatMap(({ digests }) => [...digests])),
  };
}

const isImage = (mediaType: string): boolean =>
  mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;

async function readManifest(found: FoundManifest, signal: AbortSignal): Promise<RemoteCache> {
  const value = objectOf(found.manifest.bytes);
  const config = descriptorOf(value["config"], "config");
  const layers = descriptorsOf(value["layers"], "layers");
  return config.mediaType === cacheConfigType
    ? await readOwn(found, config, layers, signal)
    : await readInline(found, config, layers, signal);
}

async function readOwn(
  { sources }: FoundManifest,
  config: Descriptor,
  layers: readonly Descriptor[],
  signal: AbortSignal,
): Promise<RemoteCache> {
  const bytes = await readSmallBlob(sources, config, { limit: configBytesMax, signal });
  return parseCacheConfig(bytes, new Map(layers.map((layer) => [layer.digest, layer])));
}

/** An image's own layers, as its configuration names the steps that made them. */
async function readInline(
  { sources }: FoundManifest,
  config: Descriptor,
  blobs: readonly Descriptor[],
  signal: AbortSignal,
): Promise<RemoteCache> {
  const bytes = await readSmallBlob(sources, config, { limit: configSizeMax, signal });
  const { rootfs } = parseConfig(new TextDecoder().decode(bytes));
  const inline = objectOf(bytes)["moby.buildkit.cache.v0"];
  if (typeof inline !== "string" || rootfs.diff_ids.length !== blobs.length) return none;
  return parseRecords(parseJson(Buffer.from(inline, "base64")), (place) => {
    const layer = rootfs.diff_ids[place];
    const blob = blobs[place];
    return layer === undefined || blob === undefined || !isLayer(blob) ? undefined : { layer, blob };
  });
}

const none: RemoteCache = { steps: [], digests: new Map() };

function objectOf(bytes: Uint8Array): Record<string, unknown> {
  const value = parseJson(bytes);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new EngineError("invalid", "the cache is malformed: its manifest is no object");
}
