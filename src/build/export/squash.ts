import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { Session } from "../solver/session.ts";
import type { PlatformResult } from "./result.ts";

/**
 * `--squash`: the layers above the base as one. Their steps stay in the history without a layer, and a last entry has the
 * one that is left.
 */
export async function squashed(session: Session, result: PlatformResult): Promise<PlatformResult> {
  const { deps, lease } = session;
  const { base } = result;
  const own = result.layers.length - base.length;
  if (own < 2) return result;
  const [top, below] = await Promise.all([session.view(result.layers), session.view(base)]);
  const layer = await deps.snapshots.apply(deps.workers.tar(top, { lower: [below] }));
  lease.hold("layer", layer.diffId);
  const layers = [...base, layer.diffId];
  const { history = [], ...config } = result.config;
  const kept = history.length - ownEntries(history, own);
  const steps = history.map((entry, index) => (index < kept ? entry : { ...entry, empty_layer: true }));
  const created = session.request.sourceDateEpoch === undefined ? formatNs(nowNs()) : config.created;
  const merged = {
    ...(created === undefined ? {} : { created }),
    comment: "merge of the layers above the base",
  };
  return {
    ...result,
    layers,
    keys: [],
    config: { ...config, history: [...steps, merged], rootfs: { type: "layers", diff_ids: layers } },
  };
}

/** How many of the last entries hold the build's own layers. */
function ownEntries(history: readonly { empty_layer?: boolean }[], layers: number): number {
  let left = layers;
  let count = 0;
  for (let at = history.length - 1; at >= 0 && left > 0; at--, count++) if (!history[at]?.empty_layer) left--;
  return count;
}
