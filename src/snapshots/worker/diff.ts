import type { TarEntry, TarEntryType } from "../../lib/tar/entry.ts";
import { tarEntry } from "../../lib/tar/writer.ts";
import {
  close,
  ELOOP,
  ENOENT,
  fileType,
  flags,
  must,
  openRaw,
  readLink,
  toText,
} from "../../system/files/at.ts";
import { getXattr, listXattrs } from "../../system/files/xattr.ts";
import type { Writes } from "../drivers/driver.ts";
import { opaqueMarker, whiteoutPrefix } from "../drivers/form.ts";
import { readFull } from "../record.ts";
import { isCarried, type Written, type WrittenEntry, writtenOf } from "./written.ts";

const chunk = 512 * 1024;
const readFlags = flags.readOnly | flags.noFollow | flags.nonBlock;
const types: Record<number, TarEntryType> = {
  [fileType.file]: "file",
  [fileType.directory]: "directory",
  [fileType.symlink]: "symlink",
  [fileType.char]: "char",
  [fileType.block]: "block",
  [fileType.fifo]: "fifo",
};

/** One entry of a layer tar being made, and the open file its content comes from. */
interface Piece {
  entry: TarEntry;
  fd: number | undefined;
}

/**
 * The entries of a snapshot's writes: whiteouts as `.wh.` files, times in whole seconds as Docker's layers have them. A
 * piece's file is open only until the next piece is asked for.
 */
export function* piecesOf(writes: Writes, tidy = false): Generator<Piece> {
  const links = new Map<bigint, string>();
  for (const written of writtenOf(writes, tidy)) {
    if (written.kind !== "entry") {
      yield { entry: markerOf(written), fd: undefined };
      continue;
    }
    const entry = entryOf(written, links);
    if (entry?.type !== "file") {
      if (entry !== undefined) yield { entry, fd: undefined };
      continue;
    }
    const fd = openRaw(written.dir, written.name, readFlags);
    if (fd === ENOENT || fd === ELOOP) {
      links.delete(written.status.inode);
      continue; // a running container took it away
    }
    must(fd, () => `open ${toText(entry.name)}`);
    try {
      yield { entry, fd };
    } finally {
      close(fd);
    }
  }
}

/** Exactly `size` bytes of a file: one that grows or shrinks while it is read keeps the size its header told. */
export function* contentOf(fd: number, size: number, buffer: (length: number) => Buffer): Generator<Buffer> {
  for (let done = 0; done < size; ) {
    const part = Math.min(chunk, size - done);
    const bytes = buffer(part);
    const got = readFull(fd, bytes, done);
    if (got < part) bytes.fill(0, got);
    yield bytes; // which may be the reader's from here on
    done += part;
  }
}

export function markerOf({ kind, path }: Exclude<Written, WrittenEntry>): TarEntry {
  const slash = path.lastIndexOf("/") + 1;
  const name =
    kind === "opaque"
      ? `${path.slice(1)}/${opaqueMarker}`
      : `${path.slice(1, slash)}${whiteoutPrefix}${path.slice(slash)}`;
  return tarEntry({ type: "file", name, mode: 0 });
}

/** Undefined for a socket, which has no place in a tar. `links`: first names by inode. */
export function entryOf(
  { status, path, dir, name }: Omit<WrittenEntry, "kind">,
  links: Map<bigint, string>,
): TarEntry | undefined {
  const type = types[status.mode & fileType.mask];
  if (type === undefined) return undefined;
  const isDevice = type === "char" || type === "block";
  const entry = tarEntry({
    type,
    name: type === "directory" ? `${path.slice(1)}/` : path.slice(1),
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    mtime: { s: status.mtime.s, ns: 0 },
    deviceMajor: isDevice ? status.deviceMajor : 0,
    deviceMinor: isDevice ? status.deviceMinor : 0,
  });
  if (type === "symlink") entry.linkName = readLink(dir, name);
  if (status.links > 1 && type !== "directory") {
    const first = links.get(status.inode);
    if (first !== undefined) return { ...entry, type: "hardlink", linkName: first };
    links.set(status.inode, entry.name);
  }
  entry.xattrs = xattrsOf(dir, name);
  return type === "file" ? { ...entry, size: status.size } : entry;
}

function xattrsOf(dir: number, name: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const key of listXattrs(dir, name)) {
    if (!isCarried(key)) continue;
    const value = getXattr(dir, name, key);
    if (value !== undefined) found.set(key, value.toString("latin1"));
  }
  return found;
}
