import { join } from "node:path";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
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
import { type LayerForm, opaqueMarker, whiteoutPrefix } from "../drivers/form.ts";
import { contentOf } from "../worker/diff.ts";
import { type LowerDirectory, lowerChild, lowerStat } from "../worker/lower.ts";
import { type Node, StackTree } from "./stack-tree.ts";

/**
 * Several layers as the tar of one that shows the same over the same base (`base`: folders, lowest first). What a layer
 * hides of another goes; what they hide of the base stays hidden.
 */
export function* mergedTar(
  form: LayerForm,
  folders: readonly string[],
  base: readonly string[],
): Generator<Uint8Array> {
  const tree = new StackTree();
  for (const [index, folder] of folders.entries()) tree.add(folder, index);
  const roots = folders.map((folder) =>
    must(
      openRaw(cwdFd, toBytes(join(folder, "diff")), flags.readOnly | flags.directory),
      () => `open ${folder}`,
    ),
  );
  const lower = base.map((folder) => toBytes(join(folder, "diff"))).reverse();
  try {
    yield* inside({ form, roots, first: new Map() }, "", tree.root, lower);
    yield endOfArchive;
  } finally {
    for (const fd of roots) close(fd);
  }
}

interface Merge {
  form: LayerForm;
  roots: readonly number[];
  /** of a file with several names: which name was written with its content */
  first: Map<string, string>;
}

function* inside(merge: Merge, path: string, folder: Node, lower: LowerDirectory): Generator<Uint8Array> {
  for (const [name, node] of [...(folder.children ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = path === "" ? name : `${path}/${name}`;
    const below = lower.length > 0 && lowerStat(merge.form, lower, name) !== undefined;
    if (node.gone) {
      const hiding = path === "" ? whiteoutPrefix + name : `${path}/${whiteoutPrefix}${name}`;
      if (below) yield headerOf(tarEntry({ type: "file", name: hiding, mode: 0 }));
    } else if (node.children) {
      const entry = node.entry ?? tarEntry({ type: "directory", name: at });
      yield headerOf({ ...entry, name: `${at}/` });
      if (node.opaque && below)
        yield headerOf(tarEntry({ type: "file", name: `${at}/${opaqueMarker}`, mode: 0 }));
      yield* inside(merge, at, node, below && !node.opaque ? lowerChild(merge.form, lower, name) : []);
    } else yield* leaf(merge, at, node);
  }
}

function* leaf(merge: Merge, path: string, node: Node): Generator<Uint8Array> {
  const entry = node.linked?.entry ?? node.entry;
  if (entry === undefined) return;
  const key = `${node.layer}:${node.linked?.path ?? path}`;
  const written = merge.first.get(key);
  if (written !== undefined) {
    yield headerOf({ ...entry, type: "hardlink", name: path, linkName: written, size: 0, xattrs: new Map() });
    return;
  }
  merge.first.set(key, path);
  const { sparse: _sparse, ...plain } = entry;
  yield headerOf({ ...plain, name: path });
  if (entry.type !== "file" || entry.size === 0) return;
  yield* content(merge.roots[node.layer] ?? -1, path, entry.size);
  yield padding(entry.size);
}

const insideLayer = resolve.noMagicLinks | resolve.inRoot;

function* content(root: number, path: string, size: number): Generator<Uint8Array> {
  const fd = must(
    openWithinRaw(root, path, flags.readOnly | flags.nonBlock | flags.noFollow, insideLayer),
    () => `open ${toText(path)}`,
  );
  try {
    yield* contentOf(fd, size, (length) => Buffer.from(new ArrayBuffer(length)));
  } finally {
    close(fd);
  }
}
