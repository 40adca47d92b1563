import { sha256 } from "../../lib/digest.ts";
import { chainOf } from "../cache/key.ts";
import type { TreeRequest } from "../copy/requests.ts";
import type { BuildContextDeps } from "../deps.ts";

/** The digest of what patterns name in a stack of layers: read once, for layers never change. */
export async function digestOfLayers(
  { state, workers, paths }: BuildContextDeps,
  layers: readonly string[],
  tree: TreeRequest,
): Promise<{ digest: string; matches: number }> {
  const key = sha256(JSON.stringify([chainOf(layers), tree.patterns, tree.exclude, tree.parents]));
  const known = state.db
    .query<{ digest: string; matches: number }, [string]>(
      "SELECT digest, matches FROM build_digests WHERE key = ?",
    )
    .get(key);
  if (known !== null) return known;
  const { digest, matches } = await workers.call("digest", { ...tree, lists: paths.lists });
  state.db
    .query("INSERT OR REPLACE INTO build_digests VALUES (?, ?, ?, ?)")
    .run(key, digest, matches, Date.now());
  return { digest, matches };
}
