import type { TarEntry, TarEntryType } from "../../lib/tar/entry.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { unmapCapability } from "../../lib/users/file-capability.ts";
import { type IdMap, onDisk, overflowId } from "../../lib/users/id-map.ts";
import {
  close,
  type FileStatus,
  fileType,
  flags,
  listNames,
  must,
  openRaw,
  pathLengthMax,
  readAtRaw,
  readLink,
  statFd,
  toText,
} from "../../system/files/at.ts";
import { reopen } from "../../system/files/root-view.ts";
import { getXattrFd } from "../../system/files/xattr.ts";
import { memberName } from "./paths.ts";

const chunk = 512 * 1024;
const itself = flags.path | flags.noFollow;
const types: Readonly<Record<number, TarEntryType>> = {
  [fileType.file]: "file",
  [fileType.directory]: "directory",
  [fileType.symlink]: "symlink",
  [fileType.char]: "char",
  [fileType.block]: "block",
  [fileType.fifo]: "fifo",
};

/** The names of files that have several, by device and inode: the second is told as a hard link to the first. */
type Links = Map<string, string>;

interface Packing {
  links: Links;
  /** how owners are seen where they are read; undefined = as the archive is to have them */
  remap: IdMap | undefined;
}

/**
 * A file or folder, and all below it, as Docker's tar of it: no user names, whole seconds, of attributes the
 * capabilities only. `name` is what its first entry is called; "" leaves the folder itself out. `fd` is a path
 * descriptor, which stays the caller's. Everything below is opened by one name in an open folder, links never followed:
 * a tree that changes meanwhile can make the archive incomplete, but not lead out of it. `remap` as in `ViewRequest`.
 */
export function* packTree(fd: number, name: string, remap?: IdMap): Generator<Uint8Array> {
  yield* packOne(fd, name, { links: new Map(), remap });
  yield endOfArchive;
}

function* packOne(fd: number, name: string, packing: Packing): Generator<Uint8Array> {
  const status = withOwners(statFd(fd), packing.remap);
  const type = types[status.mode & fileType.mask];
  if (type === undefined || name.length > pathLengthMax) return; // a socket has no place in an archive
  if (type === "directory") {
    if (name !== "") yield headerOf(entryOf(status, type, name.endsWith("/") ? name : `${name}/`));
    yield* packFolder(fd, name, packing);
    return;
  }
  const entry = entryOf(status, type, name);
  if (type === "symlink") entry.linkName = readLink(fd, "");
  const first = status.links > 1 ? linkOf(packing.links, status, name) : undefined;
  if (first !== undefined) yield headerOf({ ...entry, type: "hardlink", linkName: first });
  else if (type === "file") yield* packFile(fd, entry, status.size, packing.remap);
  else yield headerOf(entry);
}

/** Who owns it to the container's processes, also where that is nobody. */
function withOwners(status: FileStatus, remap: IdMap | undefined): FileStatus {
  if (remap === undefined) return status;
  const { uid, gid } = status;
  return {
    ...status,
    uid: onDisk(remap.uids, uid) ?? overflowId,
    gid: onDisk(remap.gids, gid) ?? overflowId,
  };
}

function linkOf(links: Links, { onMajor, onMinor, inode }: FileStatus, name: string): string | undefined {
  const key = `${onMajor}:${onMinor}:${inode}`;
  const first = links.get(key);
  if (first === undefined) links.set(key, name);
  return first;
}

function entryOf(status: FileStatus, type: TarEntryType, name: string): TarEntry {
  const device = type === "char" || type === "block";
  return tarEntry({
    type,
    name,
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    mtime: { s: status.mtime.s, ns: 0 },
    deviceMajor: device ? status.deviceMajor : 0,
    deviceMinor: device ? status.deviceMinor : 0,
  });
}

function* packFolder(fd: number, name: string, packing: Packing): Generator<Uint8Array> {
  const folder = reopen(fd);
  try {
    for (const child of listNames(folder)) {
      const opened = openRaw(folder, child, itself);
      if (opened < 0) continue; // gone meanwhile, or not to be had: Docker leaves such names out too
      try {
        yield* packOne(opened, memberName(name, child), packing);
      } finally {
        close(opened);
      }
    }
  } finally {
    close(folder);
  }
}

/** The archive keeps the size its header told, whatever the file does meanwhile. */
function* packFile(
  pathFd: number,
  entry: TarEntry,
  size: number,
  remap: IdMap | undefined,
): Generator<Uint8Array> {
  const fd = reopen(pathFd);
  try {
    const capability = getXattrFd(fd, "security.capability");
    if (capability) {
      const told = remap === undefined ? capability : unmapCapability(capability, remap);
      entry.xattrs = new Map([["security.capability", told.toString("latin1")]]);
    }
    yield headerOf({ ...entry, size });
    for (let done = 0; done < size; ) {
      const part = Math.min(chunk, size - done);
      const buffer = new Uint8Array(part);
      for (let got = 0; got < buffer.length; ) {
        const count = must(
          readAtRaw(fd, buffer.subarray(got), done + got),
          () => `read ${toText(entry.name)}`,
        );
        if (count === 0) break;
        got += count;
      }
      yield buffer; // which is the reader's from here on
      done += part;
    }
    yield padding(size);
  } finally {
    close(fd);
  }
}
