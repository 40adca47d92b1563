import type { ImagesContext } from "./deps.ts";

/**
 * Deletes the layers that no image, no lease and no container (`keep`) holds, and the content that no lease holds:
 * images stand on layers, not on blobs, so a blob is only ever kept for an operation in progress.
 */
export async function collect(
  context: ImagesContext,
  keep: ReadonlySet<string>,
): Promise<{ layers: string[]; bytes: number }> {
  const sizes = new Map(context.snapshots.layers().map(({ diffId, size }) => [diffId, size]));
  const candidates = [...sizes.keys()].filter((diffId) => !keep.has(diffId));
  const layers = await context.reaper.discard(candidates);
  const blobs = await collectContent(context);
  return { layers, bytes: layers.reduce((total, diffId) => total + (sizes.get(diffId) ?? 0), blobs) };
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
