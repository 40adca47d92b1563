import { sha256 } from "../../lib/image/digest.ts";
import { chainOf } from "../cache/key.ts";
import type { TreeRequest } from "../copy/worker/requests.ts";
import type { BuildContextDeps } from "../deps.ts";
import type { Session } from "../solver/session.ts";

interface LayersDigest {
  digest: string;
  matches: number;
  /** the first of what was named is a folder */
  isFolder: boolean;
}

export type LayersFilter = Omit<TreeRequest, "root">;

/** Names what patterns choose of a stack of layers, on whatever machine that is. */
export const digestKey = (
  layers: readonly string[],
  { patterns, exclude, parents, owners = false }: LayersFilter,
): string => sha256(JSON.stringify([chainOf(layers), patterns, exclude, parents, owners]));

/** What was found out on this machine. */
export function knownDigest({ state }: BuildContextDeps, key: string): LayersDigest | undefined {
  const row = state.db
    .query<{ digest: string; matches: number; folder: number }, [string]>(
      "SELECT digest, matches, folder FROM build_digests WHERE key = ?",
    )
    .get(key);
  if (row === null) return undefined;
  const { digest, matches, folder } = row;
  return { digest, matches, isFolder: folder === 1 };
}

/** The digest of what patterns name in a stack of layers: read once, for layers never change. */
export async function digestOfLayers(
  { deps, digests }: Session,
  layers: readonly string[],
  { open, ...filter }: LayersFilter & { open: () => Promise<string> },
): Promise<LayersDigest> {
  const key = digestKey(layers, filter);
  const found = knownDigest(deps, key) ?? (await compute(deps, key, { ...filter, root: await open() }));
  digests.set(key, found.digest);
  return found;
}

async function compute(
  { state, workers, paths }: BuildContextDeps,
  key: string,
  tree: TreeRequest,
): Promise<LayersDigest> {
  const { digest, matches, isFolder } = await workers.call("digest", { ...tree, lists: paths.lists });
  state.db
    .query(
      "INSERT OR REPLACE INTO build_digests (key, digest, matches, used_at, folder) VALUES (?, ?, ?, ?, ?)",
    )
    .run(key, digest, matches, Date.now(), isFolder ? 1 : 0);
  return { digest, matches, isFolder };
}
