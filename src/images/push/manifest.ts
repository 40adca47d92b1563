import { sha256 } from "../../lib/image/digest.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import { parseManifest } from "../remote/manifest.ts";
import type { KnownManifest } from "../remote/records.ts";

interface MadeManifest {
  digest: string;
  mediaType: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Docker's types of layers as OCI calls them. */
export const ociOf: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
  "application/vnd.docker.image.rootfs.diff.tar.zstd": mediaTypes.ociLayerZstd,
  "application/vnd.docker.image.rootfs.diff.tar": mediaTypes.ociLayer,
};

/** And back. */
export const dockerOf: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ociOf).map(([docker, oci]) => [oci, docker]),
);

/**
 * The manifest of an image with these layers: the last it was pulled or pushed by, byte for byte, whose layers are the same
 * blobs, so that an image keeps its digest from registry to registry; else Docker's, or OCI's where a layer is not gzip.
 */
export function manifestFor(
  config: { digest: string; size: number },
  layers: readonly Descriptor[],
  known: readonly KnownManifest[],
): MadeManifest {
  const same = known.findLast((each) => hasLayers(each, layers));
  if (same)
    return { digest: same.digest, mediaType: same.mediaType, bytes: new TextEncoder().encode(same.content) };
  const gzipped = layers.every(
    ({ mediaType }) => mediaType === mediaTypes.dockerLayerGzip || mediaType === mediaTypes.ociLayerGzip,
  );
  return gzipped ? dockerManifest(config, layers) : ociManifest(config, layers);
}

/** The blob of each layer, by diff id, in the manifest that the image was last pulled or pushed by. */
export function preferredBlobs(
  { layers }: { layers: readonly string[] },
  known: readonly KnownManifest[],
): ReadonlyMap<string, string> {
  const last = known.at(-1);
  if (!last) return new Map();
  const parsed = parseManifest(new TextEncoder().encode(last.content), last.mediaType);
  if (parsed.kind !== "image" || parsed.layers.length !== layers.length) return new Map();
  return new Map(layers.map((diffId, index) => [diffId, parsed.layers[index]?.digest ?? ""]));
}

function hasLayers({ content, mediaType }: KnownManifest, layers: readonly Descriptor[]): boolean {
  const parsed = parseManifest(new TextEncoder().encode(content), mediaType);
  return (
    parsed.kind === "image" &&
    parsed.layers.length === layers.length &&
    parsed.layers.every(({ digest }, index) => digest === layers[index]?.digest)
  );
}

const dockerManifest = (
  config: { digest: string; size: number },
  layers: readonly Descriptor[],
): MadeManifest =>
  made(mediaTypes.dockerManifest, {
    config: { mediaType: mediaTypes.dockerConfig, size: config.size, digest: config.digest },
    layers: layers.map(({ size, digest }) => ({ mediaType: mediaTypes.dockerLayerGzip, size, digest })),
  });

const ociManifest = (config: { digest: string; size: number }, layers: readonly Descriptor[]): MadeManifest =>
  made(mediaTypes.ociManifest, {
    config: { mediaType: mediaTypes.ociConfig, size: config.size, digest: config.digest },
    layers: layers.map(({ mediaType, size, digest }) => ({
      mediaType: ociOf[mediaType] ?? mediaType,
      size,
      digest,
    })),
  });

/** Indented as Docker's are. */
function made(mediaType: string, rest: Record<string, unknown>): MadeManifest {
  const text = JSON.stringify({ schemaVersion: 2, mediaType, ...rest }, undefined, 3);
  return { digest: sha256(text), mediaType, bytes: new TextEncoder().encode(text) };
}
