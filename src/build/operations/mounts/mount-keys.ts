import type { Owner } from "../../../lib/users/id-map.ts";
import { chainOf } from "../../cache/key.ts";
import type { RunMount } from "../../graph/operation.ts";
import type { Session } from "../../solver/session.ts";
import type { ResultOf } from "../plan.ts";
import { cacheKeyError, type Tree, treeOf } from "../source-tree.ts";

/** A mount whose source is known: where it is, and what the key says of it. */
export interface ReadyMount {
  mount: RunMount;
  /** names it in the key: its target, or what it is */
  key: string;
  part: string;
  /** digest of a list of files, where the part names one */
  list: string | undefined;
  tree: Tree | undefined;
  /** whose all of it is, of a context's; undefined = of several */
  owner?: Owner | undefined;
}

/** Secrets, sockets and the content of caches are no part of a key: how they are mounted is. */
export async function readyMounts(
  session: Session,
  mounts: readonly RunMount[],
  resultOf: ResultOf,
): Promise<ReadyMount[]> {
  return await Promise.all(mounts.map((mount) => ready(session, mount, resultOf)));
}

async function ready(session: Session, mount: RunMount, resultOf: ResultOf): Promise<ReadyMount> {
  const key =
    mount.type === "secret" ? ["secret", mount.id, mount.target ?? ""].join(" ").trim() : mount.target;
  const plain = { mount, key, list: undefined, tree: undefined };
  if (mount.type !== "bind" && mount.type !== "cache" && mount.type !== "volume")
    return { ...plain, part: JSON.stringify(mount) };
  // which cache it is does not count, nor who else may use it meanwhile, nor what a new one begins with
  if (mount.type === "cache") {
    const { id: _id, sharing: _sharing, from, ...rest } = mount;
    const tree = from === undefined ? undefined : await treeOf(session, from, resultOf);
    return { ...plain, tree, part: JSON.stringify(rest) };
  }
  const { from, ...rest } = mount;
  if (from === undefined) return { ...plain, part: JSON.stringify(rest) };
  const tree = await treeOf(session, from, resultOf);
  // what it begins with is the base's, which the key has already
  if (mount.type === "volume") return { ...plain, tree, part: JSON.stringify(rest) };
  if (tree.layers !== undefined)
    return { ...plain, tree, part: JSON.stringify([rest, chainOf(tree.layers)]) };
  const { paths, workers } = session.deps;
  const { ignore } = tree;
  const root = await tree.open();
  const looking = workers.call("digest", {
    root,
    ignore,
    patterns: [mount.source],
    exclude: [],
    parents: false,
    lists: paths.lists,
    ...session.statCacheOf(root),
  });
  const { digest, owner } = await looking.catch((error: unknown) => Promise.reject(cacheKeyError(error)));
  return { ...plain, tree, part: JSON.stringify([rest, digest]), list: digest, owner };
}
