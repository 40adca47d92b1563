import { EngineError } from "../../lib/errors.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";

const invalid = (message: string): EngineError => new EngineError("invalid", message);

const configTypes: readonly string[] = [
  mediaTypes.dockerConfig,
  mediaTypes.ociConfig,
  "application/octet-stream",
  "",
];

const layerTypes: readonly string[] = [
  mediaTypes.dockerLayerGzip,
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.docker.image.rootfs.diff.tar.zstd",
];

/** Refuses what is an artifact of another kind, a chart or a signature: it has no files to run. */
export function checkTypes(config: Descriptor, layers: readonly Descriptor[]): void {
  if (!configTypes.includes(config.mediaType))
    throw invalid(`unsupported media type ${told(config.mediaType)}`);
  for (const layer of layers) checkLayer(layer);
}

function checkLayer({ mediaType, digest, urls }: Descriptor): void {
  if (layerTypes.includes(mediaType)) return;
  if (mediaType.includes("nondistributable") || mediaType.includes("foreign"))
    throw invalid(
      `layer ${digest} is foreign (${told(mediaType)}): its content is kept outside of registries${urls?.[0] ? ` (${told(urls[0])})` : ""}, and berth does not fetch it`,
    );
  if (mediaType.endsWith("+encrypted")) throw invalid(`layer ${digest} is encrypted, which is not supported`);
  throw invalid(`unsupported media type ${told(mediaType)}`);
}

const told = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
