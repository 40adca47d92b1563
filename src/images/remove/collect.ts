import type { CollectOptions } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";

/**
 * Deletes the layers that no image, no lease and no container (`keep`) holds, the content that no lease holds (images
 * stand on layers, not on blobs, so a blob is only ever kept for an operation in progress), and beginnings of downloads.
 */
export async function collect(
  context: ImagesContext,
  keep: ReadonlySet<string>,
  { unusedForMs = 0, beginnings = false }: CollectOptions = {},
): Promise<{ layers: string[]; bytes: number }> {
  const sizes = new Map(context.snapshots.layers().map(({ diffId, size }) => [diffId, size]));
  const made = unusedForMs > 0 ? madeBefore(context, Date.now() - unusedForMs) : sizes;
  const candidates = [...sizes.keys()].filter((diffId) => made.has(diffId) && !keep.has(diffId));
  const layers = await context.reaper.discard(candidates);
  const partials = beginnings ? await context.content.sweepPartials(unusedForMs) : 0;
  const blobs = partials + (await collectContent(context));
  return { layers, bytes: layers.reduce((total, diffId) => total + (sizes.get(diffId) ?? 0), blobs) };
}

function madeBefore({ state }: ImagesContext, before: number): Set<string> {
  const rows = state.db.query<{ diff_id: string }, [number]>(
    "SELECT diff_id FROM layers WHERE created_at < ?",
  );
  return new Set(rows.all(before).map(({ diff_id }) => diff_id));
}

async function collectContent({ content, leases }: ImagesContext): Promise<number> {
  let bytes = 0;
  for await (const { digest, size } of content.list()) {
    if (leases.held("blob").has(digest)) continue;
    await content.remove(digest);
    bytes += size;
  }
  return bytes;
}
