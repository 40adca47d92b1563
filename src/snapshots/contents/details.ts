import { toText } from "../../system/files/at.ts";
import type { Node } from "./stack-tree.ts";

/** The entry that says what a name is: a hard link's is that of its target. */
export const entryOf = (node: Node) => node.linked?.entry ?? node.entry;

const typeOf = (node: Node): string => (node.children ? "directory" : (entryOf(node)?.type ?? "file"));

export function detailsOf(node: Node): {
  type: string;
  size: number;
  mode: number;
  owner: string;
  link?: string;
} {
  const entry = entryOf(node);
  return {
    type: typeOf(node),
    size: entry?.size ?? 0,
    mode: entry?.mode ?? 0o755,
    owner: `${entry?.uid ?? 0}:${entry?.gid ?? 0}`,
    ...(entry?.type === "symlink" ? { link: toText(entry.linkName) } : {}),
  };
}

/** Whether two names are alike but for time and content. */
export function sameDetails(one: Node, other: Node): boolean {
  const [a, b] = [entryOf(one), entryOf(other)];
  return (
    typeOf(one) === typeOf(other) &&
    (a?.mode ?? 0o755) === (b?.mode ?? 0o755) &&
    (a?.uid ?? 0) === (b?.uid ?? 0) &&
    (a?.gid ?? 0) === (b?.gid ?? 0) &&
    (a?.size ?? 0) === (b?.size ?? 0) &&
    (a?.linkName ?? "") === (b?.linkName ?? "") &&
    (a?.deviceMajor ?? 0) === (b?.deviceMajor ?? 0) &&
    (a?.deviceMinor ?? 0) === (b?.deviceMinor ?? 0) &&
    sameAttributes(a?.xattrs ?? none, b?.xattrs ?? none)
  );
}

const none: ReadonlyMap<string, string> = new Map();
const sameAttributes = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
