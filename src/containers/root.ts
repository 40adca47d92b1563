import type { MountOptions } from "../snapshots/contract.ts";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import { remapOf } from "./remap.ts";
import { unmountViews } from "./start/mounts/image-views.ts";

/** Requests for a container's files come in pairs, as a copy first asks what is there. */
const lingerMs = 1000;

/** Mounts a container's root as its processes are to see it; what is mounted stays as it is. */
export const mountRoot = (ctx: Context, container: Container, options: MountOptions = {}): Promise<string> =>
  ctx.snapshots.mount(container.id, {
    ...options,
    ...(remapOf(ctx, container) === undefined ? {} : { remapped: true }),
  });

/**
 * Mounts a container's root for those who read or write its files, whether it runs or not; the caller holds its lock.
 * It stays mounted until the returned function is called, also when the container ends meanwhile: a second mount of the
 * same files beside an old one would be no good.
 */
export async function holdRoot(
  ctx: Context,
  container: Container,
): Promise<{ root: string; release: () => void }> {
  const root = await mountRoot(ctx, container);
  container.cancelUnmount?.();
  container.rootUsers++;
  const release = (): void => {
    container.rootUsers--;
    if (container.rootUsers > 0 || ctx.closing) return;
    const cancel = ctx.clock.after(lingerMs, () =>
      ctx.background.run("unmount a container's root", () =>
        container.lock.run(() => unmountUnused(ctx, container)),
      ),
    );
    container.cancelUnmount = () => {
      cancel();
      container.cancelUnmount = undefined;
    };
  };
  return { root, release };
}

/** Unmounts the root unless somebody uses it; the caller holds the container's lock. */
export async function unmountUnused(ctx: Context, container: Container): Promise<void> {
  if (container.rootUsers > 0 || container.alive || container.life.status === "starting") return;
  container.cancelUnmount?.();
  if (ctx.store.get(container.id) !== container) return;
  await unmountViews(ctx, container);
  await ctx.snapshots.unmount(container.id);
}
