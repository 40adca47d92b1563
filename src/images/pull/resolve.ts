import type { RemoteManifest, Repository } from "../../distribution/contract.ts";
import { EngineError, isKind } from "../../lib/errors.ts";
import { formatPlatform } from "../../lib/image/platform.ts";
import type { Descriptor, Platform } from "../../types/oci.ts";
import { fitting, hostPlatform } from "../remote/choose.ts";
import { parseManifest } from "../remote/manifest.ts";

/** A manifest, and the repositories to go on with: the one that had it first. */
export interface FoundManifest {
  manifest: RemoteManifest;
  sources: Repository[];
}

/** Asks the mirrors in their order, then the origin; the origin's failure is the one that is told. */
export async function findManifest(
  sources: readonly Repository[],
  tagOrDigest: string,
): Promise<FoundManifest> {
  let failure: unknown;
  for (const [index, source] of sources.entries()) {
    try {
      return {
        manifest: await source.manifest(tagOrDigest),
        sources: [...sources.slice(index), ...sources.slice(0, index)],
      };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

export interface ImageManifest {
  config: Descriptor;
  layers: Descriptor[];
  /** the manifest these stand in, not the index it was found by */
  manifest: RemoteManifest;
}

/** Indexes within indexes: real ones have one level. */
const depthMax = 4;

/** Descends from what was found to the manifest of one platform's image. */
export async function imageManifest(
  { manifest, sources }: FoundManifest,
  asked: Platform | undefined,
): Promise<ImageManifest> {
  const wanted = asked ?? hostPlatform;
  let current = manifest;
  for (let depth = 0; depth <= depthMax; depth++) {
    const parsed = parseManifest(current.bytes, current.mediaType);
    if (parsed.kind === "image") return { config: parsed.config, layers: parsed.layers, manifest: current };
    const [child] = fitting(parsed.manifests, wanted);
    if (child === undefined)
      throw new EngineError(
        "notFound",
        `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`,
      );
    current = await childOf(sources, child);
  }
  throw new EngineError("invalid", `its indexes are nested over ${depthMax} deep`);
}

async function childOf(sources: readonly Repository[], child: Descriptor): Promise<RemoteManifest> {
  const { manifest } = await findManifest(sources, child.digest).catch((error: unknown) => {
    if (!isKind(error, "notFound")) throw error;
    throw new EngineError(
      "notFound",
      `the index names ${child.digest}, which the registry has not: ${error.message}`,
      { cause: error },
    );
  });
  if (manifest.bytes.length !== child.size)
    throw new EngineError(
      "invalid",
      `manifest ${child.digest} has ${manifest.bytes.length} bytes, and the index says ${child.size}`,
    );
  return manifest;
}
