import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/** Bytes of a container's own files, and with its image's layers. */
export async function sizesOf(ctx: Context, container: Container): Promise<{ rw: number; rootFs: number }> {
  const { size } = await ctx.snapshots.usage(container.id);
  const image = container.spec.layers.reduce(
    (sum, layer) => sum + (ctx.snapshots.layer(layer)?.size ?? 0),
    0,
  );
  return { rw: size, rootFs: size + image };
}
