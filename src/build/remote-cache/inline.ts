import type { ImageConfig } from "../../types/oci.ts";
import type { PlatformResult } from "../export/result.ts";
import type { Session } from "../solver/session.ts";
import { cacheRecords, type KeyedLayer } from "./cache-config.ts";

/** `--cache-to type=inline`: the image's configuration also names the steps that made its layers. */
export function withInlineCache({ request, made, digests }: Session, result: PlatformResult): PlatformResult {
  if (!request.cacheTo.some(({ type }) => type === "inline")) return result;
  const { config, keys } = result;
  const steps = keys.flatMap((key): KeyedLayer[] => {
    const step = made.get(key);
    return step === undefined ? [] : [{ key, ...step }];
  });
  const places = new Map(config.rootfs.diff_ids.map((layer, place) => [layer, place]));
  const records = cacheRecords({ steps, digests }, (layer) => places.get(layer));
  return steps.length === 0 ? result : { ...result, config: withCache(config, JSON.stringify(records)) };
}

/** Its place is where BuildKit's has it. */
function withCache({ os, rootfs, ...rest }: ImageConfig, records: string): ImageConfig {
  return { ...rest, "moby.buildkit.cache.v0": Buffer.from(records).toString("base64"), os, rootfs };
}
