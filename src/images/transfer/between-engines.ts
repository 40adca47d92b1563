import type { BlobSource } from "../../distribution/contract.ts";
import { TransportError } from "../../distribution/errors.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { isSha256 } from "../../lib/image/digest.ts";
import { decompress } from "../../system/compression/decompress.ts";
import { zstdFrames } from "../../system/compression/zstd.ts";
import { type LayerState, layerFrameBytes } from "../../types/layer-transfer.ts";
import { mediaTypes } from "../../types/oci.ts";
import type { GivenLayer } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { bringLayer } from "../pull/layer.ts";
import type { Taking } from "./taking.ts";

/** Layers straight from one engine to another (decision 37): tars from a byte on, by zstd. */

export function layerStates(
  { snapshots, content }: ImagesContext,
  diffIds: readonly string[],
): Promise<LayerState[]> {
  return Promise.all(
    diffIds.map(async (digest) => {
      checkDigest(digest);
      if (snapshots.layer(digest) !== undefined)
        return { digest, size: await snapshots.layerTarSize(digest) };
      return { digest, kept: await content.partialSize(digest) };
    }),
  );
}

/** packs files of programs to 40 %, at several times the speed of what unpacks them at the other end */
const wireLevel = 1;

/** The layer's tar from a byte on, compressed. */
export async function* giveLayer(
  { snapshots, leases }: ImagesContext,
  diffId: string,
  from: number,
): AsyncGenerator<Uint8Array> {
  const lease = leases.open();
  try {
    lease.hold("layer", diffId);
    const tar = snapshots.layerTar(diffId) as AsyncIterable<Uint8Array>;
    yield* zstdFrames(after(tar, from), layerFrameBytes, wireLevel);
  } finally {
    lease.end();
  }
}

async function* after(source: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const bytes of source) {
    const end = at + bytes.length;
    if (end > offset) yield at >= offset ? bytes : bytes.subarray(offset - at);
    at = end;
  }
}

/** A connection that breaks at one end only goes on at the other: it is stale once nothing came for that long. */
const staleMs = 2000;

/**
 * Takes a layer that another engine gives, verified by its diff id. What came of it is kept when it breaks off. Who gives
 * the same layer at the same time waits while it comes, and takes over from one that has gone silent.
 */
export async function takeLayer(context: ImagesContext, given: GivenLayer): Promise<void> {
  const { diffId, signal } = given;
  checkDigest(diffId);
  for (let other = context.taking.get(diffId); other; other = context.taking.get(diffId)) {
    await Promise.race([other.over, Bun.sleep(staleMs / 4)]);
    signal.throwIfAborted();
    if (context.taking.get(diffId) !== other) continue;
    if (Date.now() - other.fedAt < staleMs) continue;
    other.stop.abort(new EngineError("conflict", `another gives layer ${diffId} now`));
    await other.over;
  }
  const stop = new AbortController();
  const taking: Taking = { stop, fedAt: Date.now(), over: Promise.resolve() };
  const work = takeNow(context, { ...given, signal: AbortSignal.any([signal, stop.signal]) }, taking);
  taking.over = work.then(
    () => undefined,
    () => undefined, // told to who gives it
  );
  context.taking.set(diffId, taking);
  try {
    await work;
  } finally {
    if (context.taking.get(diffId) === taking) context.taking.delete(diffId);
  }
}

async function takeNow(context: ImagesContext, given: GivenLayer, taking: Taking): Promise<void> {
  const { diffId, size, signal } = given;
  const lease = context.leases.open();
  try {
    lease.hold("layer", diffId);
    const job = {
      reference: undefined,
      diffId,
      blob: { digest: diffId, size, mediaType: mediaTypes.ociLayer },
      sources: [giving(given, taking)],
    };
    const bring = (stop: AbortSignal, tell: Parameters<typeof bringLayer>[3]) =>
      bringLayer(context, job, stop, tell);
    // pulls that want this layer share it
    const wish = { diffId, blob: job.blob, registry: endpoint, access: crypto.randomUUID(), bring };
    await context.layerWork.join(wish, { listener: () => undefined, signal });
  } finally {
    lease.end();
  }
}

const endpoint = "another engine";

/** What is given, as the registry it would come from in a pull; it can be read once. */
function giving({ diffId, from, source }: GivenLayer, taking: Taking): BlobSource {
  let given = false;
  return {
    endpoint,
    blob: async (_digest, offset) => {
      if (given) throw new EngineError("unavailable", `layer ${diffId} broke off after ${offset} bytes`);
      if (from > offset)
        throw new EngineError("conflict", `layer ${diffId} is here up to byte ${offset}, not ${from}`);
      given = true;
      return { start: from, bytes: fed(source, taking) };
    },
  };
}

/** However it ends early, what came until then is right: the rest may come by another connection. The size is the limit. */
async function* fed(source: AsyncIterable<Uint8Array>, taking: Taking): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of decompress(source, { bombFrom: Number.POSITIVE_INFINITY })) {
      taking.fedAt = Date.now();
      yield bytes;
    }
  } catch (error) {
    throw new TransportError(messageOf(error), error);
  }
}

function checkDigest(digest: string): void {
  if (!isSha256(digest)) throw new EngineError("invalid", `${JSON.stringify(digest)} is no digest`);
}
