import type { TarEntry, TarEntryType } from "../../lib/tar/entry.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { close, ELOOP, ENOENT, fileType, flags, must, openRaw, readLink, toText } from "../../system/at.ts";
import { getXattr, listXattrs } from "../../system/xattr.ts";
import type { Writes } from "../driver.ts";
import { whiteoutPrefix } from "../form.ts";
import { readFull } from "../record.ts";
import { type Change, changesOf } from "./changes.ts";

const chunk = 256 * 1024;
const readFlags = flags.readOnly | flags.noFollow | flags.nonBlock;
const types: Record<number, TarEntryType> = {
  [fileType.file]: "file",
  [fileType.directory]: "directory",
  [fileType.symlink]: "symlink",
  [fileType.char]: "char",
  [fileType.block]: "block",
  [fileType.fifo]: "fifo",
};

/** A snapshot's writes as a layer tar: whiteouts as `.wh.` files, times in whole seconds as Docker's layers have them. */
export function* diffTar(writes: Writes): Generator<Uint8Array> {
  const links = new Map<bigint, string>();
  for (const change of changesOf(writes)) {
    if (change.kind === 2) yield headerOf(whiteoutOf(change.path));
    else yield* written(change, links);
  }
  yield endOfArchive;
}

function whiteoutOf(path: string): TarEntry {
  const slash = path.lastIndexOf("/") + 1;
  return tarEntry({
    type: "file",
    name: `${path.slice(1, slash)}${whiteoutPrefix}${path.slice(slash)}`,
    mode: 0,
  });
}

function* written(change: Exclude<Change, { kind: 2 }>, links: Map<bigint, string>): Generator<Uint8Array> {
  const { status, path, dir, name } = change;
  const type = types[status.mode & fileType.mask];
  if (type === undefined) return; // a socket has no place in a tar
  const entry = tarEntry({
    type,
    name: type === "directory" ? `${path.slice(1)}/` : path.slice(1),
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    mtime: { s: status.mtime.s, ns: 0 },
    deviceMajor: type === "char" || type === "block" ? status.deviceMajor : 0,
    deviceMinor: type === "char" || type === "block" ? status.deviceMinor : 0,
  });
  if (type === "symlink") entry.linkName = readLink(dir, name);
  if (status.links > 1 && type !== "directory") {
    const first = links.get(status.inode);
    if (first !== undefined) {
      yield headerOf({ ...entry, type: "hardlink", linkName: first });
      return;
    }
    links.set(status.inode, entry.name);
  }
  entry.xattrs = xattrsOf(dir, name);
  if (type === "file") yield* content(entry, dir, name, status.size);
  else yield headerOf(entry);
}

/** Those a layer may carry: capabilities and the user's own. Labels and the overlay's marks belong to this host. */
function xattrsOf(dir: number, name: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const key of listXattrs(dir, name)) {
    if (key !== "security.capability" && !key.startsWith("user.")) continue;
    const value = getXattr(dir, name, key);
    if (value !== undefined) found.set(key, value.toString("latin1"));
  }
  return found;
}

/** A file that grows or shrinks while it is read keeps the size its header told. */
function* content(entry: TarEntry, dir: number, name: string, size: number): Generator<Uint8Array> {
  const fd = openRaw(dir, name, readFlags);
  if (fd === ENOENT || fd === ELOOP) return;
  must(fd, () => `open ${toText(entry.name)}`);
  try {
    yield headerOf({ ...entry, size });
    for (let done = 0; done < size; ) {
      const buffer = Buffer.alloc(Math.min(chunk, size - done));
      readFull(fd, buffer, done);
      yield buffer;
      done += buffer.length;
    }
    yield padding(size);
  } finally {
    close(fd);
  }
}
