import type { Compression } from "../../lib/compression/compression.ts";
import type { LayerCompression } from "../../lib/compression/layer-compression.ts";
import { EngineError } from "../../lib/errors.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";

const invalid = (message: string): EngineError => new EngineError("invalid", message);

const configTypes: readonly string[] = [
  mediaTypes.dockerConfig,
  mediaTypes.ociConfig,
  "application/octet-stream",
  "",
];

type LayerTypes = Readonly<Partial<Record<Compression, string>>>;
const ociLayers: LayerTypes = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};
const dockerLayers: LayerTypes = {
  none: "application/vnd.docker.image.rootfs.diff.tar",
  gzip: mediaTypes.dockerLayerGzip,
  zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
};
/** Docker's type of a layer by how it is packed. */
export const dockerLayerType = ({ type }: LayerCompression): string =>
  dockerLayers[type === "uncompressed" ? "none" : type] ?? mediaTypes.dockerLayerGzip;

const dockerLayerTypes = Object.values(dockerLayers);
const layerTypes = [...Object.values(ociLayers), ...dockerLayerTypes];

export const isLayer = ({ mediaType }: Descriptor): boolean => layerTypes.includes(mediaType);

/**
 * The type of a layer by how it is compressed in fact, Docker's or OCI's as `given` is. What has no type of its own (xz)
 * keeps the one it was given.
 */
export const layerTypeOf = (given: string, compression: Compression): string =>
  (dockerLayerTypes.includes(given) ? dockerLayers : ociLayers)[compression] ?? given;

/** Refuses what is an artifact of another kind, a chart or a signature: it has no files to run. */
export function checkTypes(config: Descriptor, layers: readonly Descriptor[]): void {
  if (!configTypes.includes(config.mediaType))
    throw invalid(`unsupported media type ${told(config.mediaType)}`);
  for (const layer of layers) checkLayer(layer);
}

export function checkLayer(layer: Descriptor): void {
  if (isLayer(layer)) return;
  const { mediaType, digest, urls } = layer;
  if (mediaType.includes("nondistributable") || mediaType.includes("foreign"))
    throw invalid(
      `layer ${digest} is foreign (${told(mediaType)}): its content is kept outside of registries${urls?.[0] ? ` (${told(urls[0])})` : ""}, and berth does not fetch it`,
    );
  if (mediaType.endsWith("+encrypted")) throw invalid(`layer ${digest} is encrypted, which is not supported`);
  throw invalid(`unsupported media type ${told(mediaType)}`);
}

const told = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
