import { applyChanges } from "../../lib/dockerfile/changes.ts";
import { EngineError } from "../../lib/errors.ts";
import { hostArchitecture, parsePlatform } from "../../lib/image/platform.ts";
import { canonical, familiar, parseRepoTag } from "../../lib/image/reference.ts";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { ImageConfig, ImageRunConfig, Platform } from "../../types/oci.ts";
import { addText } from "../add.ts";
import type { ImportRequest } from "../contract.ts";
import { type ImagesContext, layerLimits } from "../deps.ts";
import { publish } from "../publish.ts";
import type { ImageRecord } from "../store.ts";
import { taggable } from "../tag.ts";

/**
 * `import`: a root file system as a tar becomes an image of one layer. All that can be refused without reading the
 * tar is refused first; the image appears, named, in one transaction.
 */
export function importImage(context: ImagesContext, request: ImportRequest): Promise<ImageRecord> {
  const reference = request.reference === undefined ? undefined : parseRepoTag(request.reference);
  const references = reference ? [taggable(canonical(reference))] : [];
  const platform = importPlatform(request.platform);
  const run = applyChanges({}, request.changes);
  return context.reaper.whileWriting(async () => {
    const lease = context.leases.open();
    let diffId: string | undefined;
    try {
      const signal = request.signal ? { signal: request.signal } : {};
      diffId = (
        await context.snapshots.apply(request.source, { kind: "root", ...signal, ...layerLimits(context) })
      ).diffId;
      lease.hold("layer", diffId);
      const text = JSON.stringify(configOf(context, { request, platform, run, diffId }));
      const record = addText(context, text, { references, taggedNs: nowNs() });
      for (const one of references) publish(context, "tag", record.id, familiar(one));
      publish(context, "import", record.id);
      return record;
    } finally {
      lease.end();
      // a layer that no image got is given back; a used one is spared
      if (diffId !== undefined) await context.reaper.discard([diffId]);
    }
  });
}

function importPlatform(text: string | undefined): Platform {
  const platform = text ? parsePlatform(text) : { os: "linux", architecture: hostArchitecture };
  if (platform.os !== "linux") throw new EngineError("invalid", "operating system is not supported");
  return platform;
}

interface Made {
  request: ImportRequest;
  platform: Platform;
  run: ImageRunConfig;
  diffId: string;
}

function configOf({ engineVersion }: ImagesContext, { request, platform, run, diffId }: Made): ImageConfig {
  const created = formatNs(nowNs());
  return {
    architecture: platform.architecture,
    ...(platform.variant ? { variant: platform.variant } : {}),
    comment: request.message,
    config: run,
    created,
    docker_version: engineVersion,
    history: [{ created, comment: request.message }],
    os: platform.os,
    rootfs: { type: "layers", diff_ids: [diffId] },
  };
}
