import type { Context } from "../context.ts";
import type { ContainerSpec } from "../contract.ts";

/** Every container that names the volume names it by its new name from now on; part of the caller's transaction. */
export function renameVolume(ctx: Context, from: string, to: string, source: string): void {
  for (const container of ctx.store.all()) {
    if (!container.spec.mounts.some(({ volume }) => volume === from)) continue;
    container.spec = renamed(container.spec, { from, to, source });
    ctx.store.saveSpec(container);
  }
}

function renamed(
  spec: ContainerSpec,
  { from, to, source }: { from: string; to: string; source: string },
): ContainerSpec {
  const { hostConfig } = spec;
  return {
    ...spec,
    mounts: spec.mounts.map((mount) =>
      mount.volume === from
        ? { ...mount, volume: to, point: { ...mount.point, Name: to, Source: source } }
        : mount,
    ),
    hostConfig: {
      ...hostConfig,
      Binds:
        hostConfig.Binds?.map((bind) =>
          bind.startsWith(`${from}:`) ? to + bind.slice(from.length) : bind,
        ) ?? null,
      ...(hostConfig.Mounts
        ? {
            Mounts: hostConfig.Mounts.map((mount) =>
              mount.Type === "volume" && mount.Source === from ? { ...mount, Source: to } : mount,
            ),
          }
        : {}),
    },
  };
}
