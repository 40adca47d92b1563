import { EngineError } from "../../lib/errors.ts";
import { requireSha256 } from "../../lib/image/digest.ts";
import { type Descriptor, mediaTypes, type Platform } from "../../types/oci.ts";
import { layersMax, parseJson } from "../config.ts";

/**
 * Manifests and indexes as registries serve them, checked field by field
 * (https://github.com/opencontainers/image-spec, manifest.md and image-index.md; Docker's image manifest version 2).
 */
type ParsedManifest =
  | { kind: "image"; config: Descriptor; layers: Descriptor[] }
  | { kind: "index"; manifests: Descriptor[] };

const descriptorsMax = 10_000;

const invalid = (message: string): EngineError => new EngineError("invalid", message);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];
const imageTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];

export function parseManifest(bytes: Uint8Array, mediaType: string): ParsedManifest {
  if (mediaType.startsWith("application/vnd.docker.distribution.manifest.v1+"))
    throw invalid(
      "it has a manifest of schema 1, which is no longer supported: push the image again with a current tool",
    );
  if (!indexTypes.includes(mediaType) && !imageTypes.includes(mediaType))
    throw invalid(`unsupported manifest media type ${JSON.stringify(mediaType.slice(0, 200))}`);
  const value = parseJson(bytes, "the manifest");
  if (!isRecord(value) || value["schemaVersion"] !== 2)
    throw invalid("the manifest is malformed: it is not of schema 2");
  const own = value["mediaType"] ?? "";
  if (own !== "" && own !== mediaType)
    throw invalid(
      `if present, mediaType in manifest should be '${mediaType}' not ${JSON.stringify(String(own).slice(0, 200))}`,
    );
  if (("layers" in value || "config" in value) && ("manifests" in value || indexTypes.includes(mediaType)))
    throw invalid("the manifest is ambiguous: it is both an image and an index");
  if (indexTypes.includes(mediaType))
    return { kind: "index", manifests: descriptorsOf(value["manifests"], "manifests") };
  const layers = descriptorsOf(value["layers"], "layers");
  if (layers.length > layersMax) throw invalid("max depth exceeded");
  return { kind: "image", config: descriptorOf(value["config"], "config"), layers };
}

/** A list of descriptors of a manifest, each checked. */
export function descriptorsOf(value: unknown, field: string): Descriptor[] {
  const list = value ?? [];
  if (!Array.isArray(list) || list.length > descriptorsMax)
    throw invalid(`the manifest is malformed: ${field}`);
  return list.map((item) => descriptorOf(item, field));
}

export function descriptorOf(value: unknown, field: string): Descriptor {
  if (!isRecord(value)) throw invalid(`the manifest is malformed: ${field}`);
  const { mediaType = "", size, platform, urls } = value;
  const digest = requireSha256(value["digest"], `the manifest's ${field}`);
  if (typeof mediaType !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`the manifest is malformed: ${field}`);
  return {
    mediaType,
    digest,
    size,
    ...(isRecord(platform) ? { platform: platformOf(platform) } : {}),
    ...(Array.isArray(urls) ? { urls: urls.filter((url) => typeof url === "string").slice(0, 10) } : {}),
  };
}

function platformOf(record: Record<string, unknown>): Platform {
  const text = (name: string): string => (typeof record[name] === "string" ? (record[name] as string) : "");
  const [os, architecture, variant, version] = ["os", "architecture", "variant", "os.version"].map(text);
  return {
    architecture: architecture ?? "",
    os: os ?? "",
    ...(version ? { "os.version": version } : {}),
    ...(variant ? { variant } : {}),
  };
}
