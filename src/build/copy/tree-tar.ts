import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { contentOf, piecesOf } from "../../snapshots/worker/diff.ts";

export interface TreeTar {
  folder: string;
  /** the tree is told as what it has besides these, the topmost first; empty = all of it */
  lower: readonly string[];
  /** a folder in the archive that everything is below: `linux_arm64/`, "" = none */
  prefix: string;
  /** others write on behind it */
  more: boolean;
}

/** A tree as a tar. */
export function* treeTar({ folder, lower, prefix, more }: TreeTar): Generator<Uint8Array> {
  const kind = lower.length === 0 ? "upper" : "copy";
  if (prefix !== "") yield headerOf(tarEntry({ type: "directory", name: prefix, mode: 0o755 }));
  for (const { entry, fd } of piecesOf({ kind, folder, lower, form: "overlay" })) {
    const linkName = entry.type === "hardlink" ? prefix + entry.linkName : entry.linkName;
    yield headerOf(prefix === "" ? entry : { ...entry, name: prefix + entry.name, linkName });
    if (fd === undefined) continue;
    yield* contentOf(fd, entry.size, (length) => Buffer.from(new ArrayBuffer(length)));
    yield padding(entry.size);
  }
  if (!more) yield endOfArchive;
}
