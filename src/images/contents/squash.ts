import { EngineError } from "../../lib/errors.ts";
import { familiar } from "../../lib/image/reference.ts";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { HistoryEntry, ImageConfig } from "../../types/oci.ts";
import { addText } from "../add.ts";
import type { SquashRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { publish } from "../publish.ts";
import { resolve } from "../resolve.ts";
import type { ImageRecord } from "../store.ts";
import { taggable } from "../tag.ts";

/**
 * Makes one layer of all layers above a base (or of all there are), in a new image that shows the same files. The
 * layers are checked first: a damaged one must not get a digest of its own.
 */
export async function squash(context: ImagesContext, request: SquashRequest): Promise<ImageRecord> {
  const { store, snapshots } = context;
  const image = resolve(store, request.image);
  const base = request.from === undefined ? [] : baseOf(image, resolve(store, request.from), request);
  const above = image.layers.slice(base.length);
  const references = request.reference === undefined ? [] : [taggable(request.reference)];
  if (above.length < 2)
    throw new EngineError(
      "conflict",
      `there is nothing to squash: ${request.image} has ${above.length} layers above its base`,
    );
  return context.reaper.whileWriting(async () => {
    const lease = context.leases.open();
    let made: string | undefined;
    try {
      for (const diffId of image.layers) lease.hold("layer", diffId);
      for (const diffId of above) await snapshots.verifyLayer(diffId);
      const tar = snapshots.merged(above, base) as AsyncIterable<Uint8Array>;
      made = (await snapshots.apply(tar)).diffId;
      lease.hold("layer", made);
      const config = configOf(image, base, made);
      const record = addText(context, JSON.stringify(config), {
        references,
        taggedNs: nowNs(),
        parent: image.parent,
      });
      for (const reference of references) {
        publish(context, "tag", record.id, familiar(reference));
      }
      return record;
    } finally {
      lease.end();
      if (made !== undefined) await context.reaper.discard([made]);
    }
  });
}

function baseOf(image: ImageRecord, base: ImageRecord, request: SquashRequest): readonly string[] {
  if (base.layers.every((diffId, index) => image.layers[index] === diffId)) return base.layers;
  throw new EngineError(
    "invalid",
    `${request.image} does not stand on ${request.from}: their lowest layers differ`,
  );
}

/** The steps above the base stay in the history, as such that added no layer; one more adds them all. */
function configOf({ config, layers }: ImageRecord, base: readonly string[], made: string): ImageConfig {
  let filled = 0;
  const history = (config.history ?? []).map((step): HistoryEntry => {
    if (step.empty_layer || filled++ < base.length) return step;
    return { ...step, empty_layer: true };
  });
  const created = formatNs(nowNs());
  const count = layers.length - base.length;
  const step = { created, comment: `${count} layers squashed into one` };
  return {
    ...config,
    created,
    rootfs: { type: "layers", diff_ids: [...base, made] },
    history: [...history, step],
  };
}
