import type { Repository } from "../../distribution/contract.ts";
import { repositoryOf } from "../../lib/image/reference.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { AskedForm, LayerTransfer } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { bringLayer, registryOf } from "../pull/layer.ts";
import type { LayerNews } from "../pull/layer-work.ts";
import { formKey, pushKey, pushLayer } from "../push/layer.ts";
import { checkLayer } from "../remote/media-types.ts";
import type { Listener } from "./shared.ts";

/** Brings one layer; pulls and builds that want the same one share the work. */
export async function bringOneLayer(
  context: ImagesContext,
  request: LayerTransfer & { blob: Descriptor; sources: readonly Repository[] },
): Promise<void> {
  const { diffId, reference, blob, sources, signal, progress } = request;
  checkLayer(blob);
  if (context.snapshots.layer(diffId) !== undefined) return;
  const job = { reference, diffId, blob, sources };
  const repository = reference && repositoryOf(reference);
  const wish = {
    diffId,
    blob,
    registry: registryOf(job),
    access: `${repository ?? ""} build`,
    bring: (stop: AbortSignal, tell: Listener<LayerNews>) => bringLayer(context, job, stop, tell),
  };
  const brought = await context.layerWork.join(wish, {
    signal,
    listener: (news) => news.kind === "progress" && progress?.(news.current),
  });
  if (brought.blob?.digest === blob.digest) context.remote.addBlob(diffId, brought.blob, repository);
}

/** Sends one layer; to a registry's repository it goes once, however many want it there. */
export async function sendOneLayer(
  context: ImagesContext,
  {
    diffId,
    reference,
    target,
    form,
    signal,
    progress,
  }: LayerTransfer & { target: Repository; form?: AskedForm },
): Promise<Descriptor> {
  const job = { reference, diffId, target, preferred: undefined, form };
  const key =
    reference === undefined
      ? `${target.endpoint} ${diffId}${formKey(form)}`
      : pushKey(reference, diffId, form);
  return await context.pushWork.join(key, (stop, tell) => pushLayer(context, job, stop, tell), {
    signal,
    listener: (news) => news.kind === "progress" && progress?.(news.current),
  });
}
