import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { ToldTar } from "../../snapshots/contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import type { Session } from "../solver/session.ts";

/** The folder that takes a prepared snapshot's writes. */
export function upperOf({ snapshots }: BuildContextDeps, key: string): string {
  const { Data } = snapshots.graphDriver(key);
  return Data["UpperDir"] ?? Data["dir"] ?? snapshots.rootPath(key);
}

/**
 * Makes the snapshot's writes a layer, held by the build: the snapshot is gone then, whether it went well or not. With
 * `latest` (seconds) no time in it is later, so that it does not tell when it was made. `told`: it is so already, and its
 * tar is known.
 */
export async function commitLayer(
  { deps, lease, request }: Session,
  key: string,
  latest: number | undefined,
  told?: ToldTar,
): Promise<{ layer: string; created: string; bytes: number }> {
  const { snapshots, workers } = deps;
  try {
    const isCopy = snapshots.driver === "vfs";
    if (latest !== undefined && told === undefined && !isCopy) {
      await snapshots.unmount(key);
      await workers.call("clampTimes", { folder: upperOf(deps, key), latest });
    }
    const { diffId, size } = await snapshots.commit(key, {
      consume: true,
      plainSize: request.classic !== true,
      ...(told === undefined ? {} : { told }),
      ...(latest === undefined || !isCopy ? {} : { latest }),
    });
    lease.hold("layer", diffId);
    return { layer: diffId, created: formatNs(nowNs()), bytes: size };
  } finally {
    await snapshots.remove(key);
  }
}
