import { parsePlatform } from "../../lib/image/platform.ts";
import { withDefaultTag } from "../../lib/image/reference.ts";
import { configSizeMax } from "../config.ts";
import type { RemoteImage, RemoteRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { readSmallBlob } from "../pull/download.ts";
import { pullFailure } from "../pull/failure.ts";
import { checkConfig } from "../pull/pull.ts";
import { findManifest, imageManifest } from "../pull/resolve.ts";
import { checkTypes } from "./media-types.ts";

/** What a pull would bring, but for the layers: for builds that may not need them. */
export async function remoteImage(
  { distribution }: ImagesContext,
  { reference, platform, credentials, signal }: RemoteRequest & { platform: string },
): Promise<RemoteImage> {
  const { domain, path, tag, digest } = withDefaultTag(reference);
  const access = { signal, ...(credentials ? { credentials } : {}) };
  try {
    const found = await findManifest(distribution.sources(reference, access), digest ?? tag ?? "latest");
    const image = await imageManifest(found, parsePlatform(platform));
    checkTypes(image.config, image.layers);
    const bytes = await readSmallBlob(found.sources, image.config, { limit: configSizeMax, signal });
    const config = checkConfig(new TextDecoder().decode(bytes), image);
    return {
      id: image.config.digest,
      config,
      layers: config.rootfs.diff_ids,
      reference: { domain, path, digest: found.manifest.digest },
    };
  } catch (error) {
    throw signal.aborted ? error : pullFailure(withDefaultTag(reference), error);
  }
}
