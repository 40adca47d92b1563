import type { Repository } from "../../distribution/contract.ts";
import { type Reference, repositoryOf } from "../../lib/image/reference.ts";
import type { Lease } from "../../state/leases.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { ImagesContext } from "../deps.ts";
import type { TransferMessages } from "../transfer/messages.ts";
import type { Listener } from "../transfer/shared.ts";
import { bringLayer, registryOf } from "./layer.ts";
import type { LayerNews } from "./layer-work.ts";

interface LayersRequest {
  reference: Reference;
  /** lowest first, and the blob of each */
  diffIds: readonly string[];
  blobs: readonly Descriptor[];
  sources: readonly Repository[];
  /** tells one client's credentials from another's; "" = none */
  client: string;
  /** keeps the layers until the image has them */
  lease: Lease;
  signal: AbortSignal;
  messages: TransferMessages;
}

/**
 * Brings the layers that are not here, all at once. One that another pull is bringing is waited for. When one fails the
 * others stop; what was downloaded and unpacked by then is kept for the next try. Tells, by diff id, the blobs that were
 * found to hold a layer.
 */
export async function bringLayers(
  context: ImagesContext,
  request: LayersRequest,
): Promise<ReadonlyMap<string, Descriptor>> {
  const { diffIds, blobs, lease, messages } = request;
  context.state.transaction(() => {
    for (const diffId of new Set(diffIds)) lease.hold("layer", diffId);
  });
  const missing = new Map<string, Descriptor>();
  for (const [index, blob] of blobs.entries()) {
    const diffId = diffIds[index] ?? "";
    if (missing.has(diffId)) continue;
    if (context.snapshots.layer(diffId)) messages.layer(shortId(blob), "Already exists");
    else {
      missing.set(diffId, blob);
      messages.layer(shortId(blob), "Pulling fs layer");
    }
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, request.signal]);
  const found = new Map<string, Descriptor>();
  const work = [...missing].map(async ([diffId, blob]) => {
    try {
      const unpacked = await bringOne(context, request, { diffId, blob, signal });
      if (unpacked !== undefined) found.set(diffId, unpacked);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const failed = (await Promise.allSettled(work)).some(({ status }) => status === "rejected");
  if (failed) throw request.signal.aborted ? request.signal.reason : stop.signal.reason;
  return found;
}

/** Its own blob, where that was found to hold it. */
async function bringOne(
  context: ImagesContext,
  { reference, sources, client, messages }: LayersRequest,
  { diffId, blob, signal }: { diffId: string; blob: Descriptor; signal: AbortSignal },
): Promise<Descriptor | undefined> {
  const job = { reference, diffId, blob, sources };
  const wish = {
    diffId,
    blob,
    registry: registryOf(job),
    access: `${repositoryOf(reference)} ${client}`,
    bring: (stop: AbortSignal, tell: Listener<LayerNews>) => bringLayer(context, job, stop, tell),
  };
  const brought = await context.layerWork.join(wish, {
    listener: (news) => show(messages, blob, news),
    signal,
  });
  messages.layer(shortId(blob), "Pull complete");
  return brought.blob?.digest === blob.digest ? brought.blob : undefined;
}

const shortId = ({ digest }: Descriptor): string => digest.slice("sha256:".length, "sha256:".length + 12);

function show(messages: TransferMessages, blob: Descriptor, news: LayerNews): void {
  const id = shortId(blob);
  if (news.kind === "status") messages.layer(id, news.status);
  else if (news.kind === "progress")
    // another registry may have it in another form
    messages.progress(id, news.status, { current: Math.min(news.current, blob.size), total: blob.size });
  else messages.layer(id, `Retrying in ${news.seconds} second${news.seconds === 1 ? "" : "s"}`);
}
