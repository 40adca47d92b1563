import type { RemoteManifest, Repository } from "../../distribution/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { withDefaultTag } from "../../lib/image/reference.ts";
import type { DistributionInspect } from "../../types/api.ts";
import type { Descriptor, ImageConfig, Platform } from "../../types/oci.ts";
import { configSizeMax, parseConfig } from "../config.ts";
import type { RemoteRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { readSmallBlob } from "../pull/download.ts";
import { type FoundManifest, findManifest } from "../pull/resolve.ts";
import { parseManifest } from "./manifest.ts";
import { checkTypes } from "./media-types.ts";

/** `GET /distribution/{name}/json`: what a registry has under a name, and for which platforms. Nothing is kept. */
export async function describeRemote(
  context: ImagesContext,
  request: RemoteRequest,
): Promise<DistributionInspect> {
  const found = await find(context, request);
  const { mediaType, digest, bytes } = found.manifest;
  const platforms = await platformsOf(found, request.signal);
  return {
    Descriptor: { mediaType, digest, size: bytes.length },
    Platforms: platforms.length > 0 ? platforms : null,
  };
}

async function find(
  { distribution }: ImagesContext,
  { reference, credentials, signal }: RemoteRequest,
): Promise<FoundManifest> {
  const { tag, digest } = withDefaultTag(reference);
  const sources = distribution.sources(reference, { signal, ...(credentials ? { credentials } : {}) });
  return findManifest(sources, digest ?? tag ?? "latest");
}

async function platformsOf({ manifest, sources }: FoundManifest, signal: AbortSignal): Promise<Platform[]> {
  const parsed = parseManifest(manifest.bytes, manifest.mediaType);
  if (parsed.kind === "index") return parsed.manifests.flatMap(({ platform }) => platform ?? []);
  const platform = await platformOfImage(sources, parsed.config, signal);
  return platform ? [platform] : [];
}

/** From its configuration; undefined for an artifact, which has none. */
async function platformOfImage(
  sources: readonly Repository[],
  config: Descriptor,
  signal: AbortSignal,
): Promise<Platform | undefined> {
  try {
    checkTypes(config, []);
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
  const text = new TextDecoder().decode(
    await readSmallBlob(sources, config, { limit: configSizeMax, signal }),
  );
  const image: ImageConfig & { "os.features"?: unknown } = parseConfig(text);
  const { architecture, os, variant, "os.version": version } = image;
  const features = textsOf(image["os.features"]);
  return {
    architecture,
    os,
    ...(version ? { "os.version": version } : {}),
    ...(features.length > 0 ? { "os.features": features } : {}),
    ...(variant ? { variant } : {}),
  };
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** A manifest as it is, with the platform of an image's. */
export async function remoteManifest(
  context: ImagesContext,
  request: RemoteRequest,
): Promise<RemoteManifest & { platform: Platform | undefined }> {
  const found = await find(context, request);
  const [platform] = found.manifest.mediaType.includes("manifest.v")
    ? await platformsOf(found, request.signal)
    : [];
  return { ...found.manifest, platform };
}

/** What refers to the manifest that a name stands for, with that one's digest. */
export async function remoteReferrers(
  context: ImagesContext,
  { artifactType, ...request }: RemoteRequest & { artifactType?: string },
): Promise<{ digest: string; referrers: Descriptor[] }> {
  const { digest } = (await find(context, request)).manifest;
  const { reference, credentials, signal } = request;
  const place = { reference, digest, ...(artifactType === undefined ? {} : { artifactType }) };
  const access = { signal, ...(credentials ? { credentials } : {}) };
  return { digest, referrers: await context.distribution.referrers(place, access) };
}
