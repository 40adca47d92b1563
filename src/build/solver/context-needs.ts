import type { TreeSource } from "../graph/operation.ts";
import { inputsOf, type Vertex } from "../graph/vertex.ts";

/**
 * What the steps below a vertex read of each context, by its name: patterns as COPY has them, or undefined where all of it
 * is needed. A client that sends its context sends just that.
 */
export function contextNeeds(vertex: Vertex | undefined, needs: Map<string, string[] | undefined>): void {
  const seen = new Set<Vertex>();
  const queue = vertex === undefined ? [] : [vertex];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const { tree, path } of treesOf(next)) if (tree.kind === "context") add(needs, tree.name, path);
    queue.push(...inputsOf(next));
  }
}

function add(needs: Map<string, string[] | undefined>, name: string, path: string): void {
  const clean = path.replace(/^\/+/, "").replace("/./", "/");
  if (clean === "" || clean === "." || clean === "./") needs.set(name, undefined);
  else if (!needs.has(name)) needs.set(name, [clean]);
  else needs.get(name)?.push(clean);
}

function treesOf({ operation }: Vertex): { tree: TreeSource; path: string }[] {
  if (operation.kind === "copy")
    return operation.sources.flatMap((source) =>
      source.kind === "tree" ? [{ tree: source.tree, path: source.pattern }] : [],
    );
  if (operation.kind !== "run") return [];
  return operation.mounts.flatMap((mount) =>
    (mount.type === "bind" || mount.type === "cache") && mount.from
      ? [{ tree: mount.from, path: mount.source }]
      : [],
  );
}
