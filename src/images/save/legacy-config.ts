import { chainIds, sha256 } from "../../lib/image/digest.ts";
import type { ImageConfig } from "../../types/oci.ts";
import { emptyRun } from "../empty-run.ts";

/**
 * The configuration of each layer in the oldest format (image spec v1), lowest first. Docker still puts them into its
 * archives; no other file there points to them.
 */
export function legacyConfigs(config: ImageConfig): string[] {
  const stacks = chainIds(config.rootfs.diff_ids);
  let parent = "";
  return stacks.map((stack, index) => {
    const top = index === stacks.length - 1;
    const { comment, created, docker_version, architecture, os, author } = config;
    const rest = top
      ? {
          ...(comment ? { comment } : {}),
          created: created ?? epoch,
          container_config: emptyRun,
          ...(docker_version ? { docker_version } : {}),
          ...(author ? { author } : {}),
          config: { ...emptyRun, ...config.config },
          architecture,
          os,
        }
      : { created: epoch, container_config: emptyRun, os };
    const id = legacyId(rest, stack, parent);
    const text = JSON.stringify({ id, ...(parent ? { parent } : {}), ...rest });
    parent = id;
    return text;
  });
}

const epoch = "1970-01-01T00:00:00Z";

/** An id that follows from the layer's stack, its parent and its own configuration. */
const legacyId = (config: object, stack: string, parent: string): string =>
  sha256(
    JSON.stringify({ ...config, layer_id: stack, ...(parent ? { parent: `sha256:${parent}` } : {}) }),
  ).slice("sha256:".length);
