import { join } from "node:path";
import {
  close,
  cwdFd,
  flags,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  toBytes,
  toText,
} from "../../system/files/at.ts";
import { contentOf } from "../worker/diff.ts";
import { detailsOf, entryOf, sameDetails } from "./details.ts";
import { encode } from "./report.ts";
import { bytesOf, type Node, StackTree } from "./stack-tree.ts";

/**
 * Lines of JSON: what differs between two stacks of layers, names in order. Times do not count; files of one size are
 * read and compared, unless both are the same file of the same layer.
 */
export function* compareLines(before: readonly string[], after: readonly string[]): Generator<Uint8Array> {
  const [a, b] = [before, after].map((folders) => {
    const tree = new StackTree();
    for (const [index, folder] of folders.entries()) tree.add(folder, index);
    return { tree, folders };
  });
  if (a && b) yield* inside({ a: a.folders, b: b.folders }, "", a.tree.root, b.tree.root);
}

interface Folders {
  a: readonly string[];
  b: readonly string[];
}

const shown = (node: Node | undefined): Node | undefined => (node?.gone ? undefined : node);

function* inside(folders: Folders, path: string, a: Node, b: Node): Generator<Uint8Array> {
  const names = new Set([...(a.children?.keys() ?? []), ...(b.children?.keys() ?? [])]);
  for (const name of [...names].sort()) {
    const at = path === "" ? name : `${path}/${name}`;
    const [left, right] = [shown(a.children?.get(name)), shown(b.children?.get(name))];
    if (left === undefined && right === undefined) continue;
    if (left === undefined || right === undefined) {
      yield* alone(at, left === undefined ? "added" : "removed", (left ?? right) as Node);
      continue;
    }
    if (!sameDetails(left, right) || !sameContent(folders, at, left, right))
      yield encode({
        kind: "changed",
        path: `/${toText(at)}`,
        ...detailsOf(right),
        before: detailsOf(left),
        bytes: (entryOf(right)?.size ?? 0) - (entryOf(left)?.size ?? 0),
      });
    if (left.children && right.children) yield* inside(folders, at, left, right);
    else if (left.children || right.children)
      for (const [kind, node] of [
        ["removed", left],
        ["added", right],
      ] as const)
        for (const [child, inner] of node.children ?? []) yield* alone(`${at}/${child}`, kind, inner);
  }
}

/** A name on one side, and all below it. */
function* alone(path: string, kind: "added" | "removed", node: Node): Generator<Uint8Array> {
  if (node.gone) return;
  const size = node.children ? 0 : bytesOf(node);
  yield encode({
    kind,
    path: `/${toText(path)}`,
    ...detailsOf(node),
    bytes: kind === "added" ? size : -size,
  });
  for (const [name, child] of node.children ?? []) yield* alone(`${path}/${name}`, kind, child);
}

function sameContent({ a, b }: Folders, path: string, left: Node, right: Node): boolean {
  if (entryOf(left)?.type !== "file" || entryOf(left)?.size === 0) return true;
  const [one = "", other = ""] = [a[left.layer], b[right.layer]];
  return one === other || hashOf(one, path, left) === hashOf(other, path, right);
}

const plainly = resolve.noMagicLinks | resolve.inRoot;
const buffer = Buffer.allocUnsafe(512 * 1024);

function hashOf(folder: string, path: string, node: Node): string {
  const root = must(
    openRaw(cwdFd, toBytes(join(folder, "diff")), flags.readOnly | flags.directory),
    () => "open layer",
  );
  try {
    const fd = must(
      openWithinRaw(root, path, flags.readOnly | flags.nonBlock, plainly),
      () => `open ${toText(path)}`,
    );
    try {
      const hash = new Bun.CryptoHasher("sha256");
      const size = entryOf(node)?.size ?? 0;
      for (const bytes of contentOf(fd, size, (length) => buffer.subarray(0, length))) hash.update(bytes);
      return hash.digest("hex");
    } finally {
      close(fd);
    }
  } finally {
    close(root);
  }
}
