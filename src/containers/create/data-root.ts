import type { HostConfig } from "../../types/api.ts";
import type { Context } from "../context.ts";
import { refuseDataRoot, refuseDataRootVolume } from "../start/mounts/data-root.ts";
import type { PlannedMount } from "./planned.ts";

/** Mounts that would show the data root to a remapped container, told at create; each start looks again. */
export async function refuseMountsOfDataRoot(
  ctx: Pick<Context, "config" | "volumes">,
  { UsernsMode }: Pick<HostConfig, "UsernsMode">,
  planned: readonly PlannedMount[],
): Promise<void> {
  if (ctx.config.remap === undefined || UsernsMode === "host") return;
  for (const { mount } of planned) {
    const { Type, Source, Driver } = mount.point;
    if (Type === "bind") await refuseDataRoot(ctx, Source);
    else if (mount.volume !== undefined)
      await refuseDataRootVolume(ctx, mount.volume, { Driver, data: Source });
  }
}
