import { EngineError, messageOf } from "../../lib/errors.ts";
import type { TarEntry } from "../../lib/tar/entry.ts";
import type { TarListener } from "../../lib/tar/reader.ts";
import { type IdMap, type Owner, seenAs } from "../../lib/users/id-map.ts";
import { setAttributes } from "../../snapshots/unpack/attributes.ts";
import { ContentWriter } from "../../snapshots/unpack/content-writer.ts";
import { baseOf, parentOf, pathWithin, shown } from "../../snapshots/unpack/names.ts";
import { removeEntry } from "../../snapshots/worker/tree.ts";
import {
  chmodRaw,
  chownRaw,
  close,
  cwdFd,
  ELOOP,
  ENOTDIR,
  type FileStatus,
  type FileTime,
  fchmodRaw,
  fchownRaw,
  fileType,
  flags,
  fsetTimeRaw,
  linkRaw,
  makeDevice,
  mkdirRaw,
  mknodRaw,
  must,
  openRaw,
  setTimeRaw,
  statAt,
  statFd,
  symlinkRaw,
  toBytes,
  toText,
  truncateRaw,
} from "../../system/files/at.ts";
import { openInsideRaw } from "../../system/files/root-view.ts";
import { SystemError } from "../../system/libc.ts";
import { Folders } from "./folders.ts";
import { isWithin, memberName } from "./paths.ts";

export interface ExtractOptions {
  /** refuse to put a folder in place of something else, and the reverse */
  noOverwriteDirNonDir: boolean;
  /** the owner of everything, instead of what the archive says */
  owner?: { uid: number; gid: number };
}

/** Where an archive goes: an open folder, and what is known of the view it is in. */
interface ExtractTarget {
  top: number;
  /** how the folder is called inside, for messages */
  called: string;
  /** the path that a descriptor has inside */
  pathOf(fd: number): string;
  /** where something is mounted inside, as it is now */
  mountPoints(): string[];
  /** how owners are seen there; undefined = as the archive has them */
  remap: IdMap | undefined;
}

const createFlags = flags.writeOnly | flags.create | flags.exclusive | flags.noFollow;
const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const permissions = 0o777;
const nameLengthMax = 255;
const entriesMax = 10_000_000;

/**
 * Extracts an archive into a folder of a container as the tar reader tells it, in Docker's way: what has an entry's name
 * is removed first, unless both are folders. A new file is made (O_EXCL) in a folder that is open, and from then on
 * known by its descriptor: what a process in the container renames meanwhile cannot lead a write elsewhere.
 */
export class Extractor implements TarListener {
  private readonly folders: Folders;
  private readonly target: ExtractTarget;
  private readonly options: ExtractOptions;
  private readonly times: { path: string; time: FileTime }[] = [];
  private content: ContentWriter | undefined;
  private entries = 0;

  constructor(target: ExtractTarget, options: ExtractOptions) {
    this.folders = new Folders(target.top);
    this.target = target;
    this.options = options;
  }

  entry(entry: TarEntry): void {
    if (++this.entries > entriesMax)
      throw new EngineError("invalid", `the archive has more than ${entriesMax} entries`);
    const path = entryPath(entry.name);
    if (path === "") {
      if (entry.type === "directory") return;
      throw new EngineError("internal", `invalid entry name ${JSON.stringify(shown(entry.name))}`);
    }
    this.folders.entry = path;
    // an owner that cannot be is told before there is a file without it
    if (entry.type !== "hardlink") this.ownerOf(entry, path);
    this.makeWay(entry, path);
    if (entry.type === "directory") this.directory(entry, path);
    else if (entry.type === "file") this.file(entry, path);
    else if (entry.type === "hardlink") this.hardlink(entry, path);
    else this.node(entry, path);
  }

  data(bytes: Uint8Array): void {
    this.content?.write(bytes);
  }

  end(): void {
    const content = this.content;
    this.content = undefined;
    content?.finish();
  }

  /** Folders get their times when nothing is made in them any more. */
  finish(): void {
    for (const { path, time } of this.times) {
      const fd = openInsideRaw(this.folders.top, path, folderFlags);
      if (fd < 0) continue; // a later entry, or the container, has put something else there
      fsetTimeRaw(fd, time);
      close(fd);
    }
  }

  close(): void {
    this.content?.abandon();
    this.content = undefined;
    this.folders.forget();
  }

  private makeWay({ type }: TarEntry, path: string): void {
    const { noOverwriteDirNonDir } = this.options;
    const parent = this.folders.get(parentOf(path));
    const status = statusOf(parent, baseOf(path));
    if (status === undefined) return;
    const was = isFolder(status);
    const becomes = type === "directory";
    if (was && becomes) return;
    if (noOverwriteDirNonDir && was !== becomes) {
      const [old, now] = was ? ["directory", "non-directory"] : ["non-directory", "directory"];
      const sentence = `cannot overwrite ${old} ${JSON.stringify(shown(path))} with ${now} ${JSON.stringify(this.target.called)}`;
      throw new EngineError("internal", sentence);
    }
    this.refuseMounted(parent, path);
    removal(path, () => removeEntry(parent, baseOf(path)));
    // its name, or one below it, may have been a link that the open folder was reached by
    this.folders.forget();
  }

  /**
   * The kernel keeps mount points from being removed only in its caller's own namespace, which the view is not. What is
   * mounted, or has something mounted below, stays as it is.
   */
  private refuseMounted(parent: number, path: string): void {
    const { pathOf, mountPoints } = this.target;
    const victim = memberName(pathOf(parent), toText(baseOf(path)));
    if (mountPoints().some((point) => isWithin(victim, point)))
      throw new SystemError(`RemoveAll ${shown(path)}`, "EBUSY");
  }

  private directory(entry: TarEntry, path: string): void {
    const parent = this.folders.get(parentOf(path));
    const base = baseOf(path);
    const status = statusOf(parent, base);
    if (status === undefined || !isFolder(status))
      must(mkdirRaw(parent, base, entry.mode & permissions), () => `mkdirat ${shown(path)}`);
    const fd = must(openRaw(parent, base, folderFlags), () => `openat ${shown(path)}`);
    try {
      this.own(fd, entry, path);
      if (entry.xattrs.size > 0) setAttributes(fd, undefined, entry.xattrs);
      must(fchmodRaw(fd, entry.mode), () => `chmodat ${shown(path)}`);
    } finally {
      close(fd);
    }
    this.times.push({ path, time: entry.mtime });
  }

  private file(entry: TarEntry, path: string): void {
    const parent = this.folders.get(parentOf(path));
    const { mode, mtime, xattrs, sparse, size } = entry;
    const opened = openRaw(parent, baseOf(path), createFlags, mode & permissions);
    const fd = must(opened, () => `openat ${shown(path)}`);
    this.content = new ContentWriter(fd, entry, () => {
      this.own(fd, entry, path);
      if (xattrs.size > 0) setAttributes(fd, undefined, xattrs);
      must(fchmodRaw(fd, mode), () => `chmodat ${shown(path)}`);
      must(fsetTimeRaw(fd, mtime), () => `chtimes ${shown(path)}`);
    });
    if (sparse !== undefined) must(truncateRaw(fd, size), () => `truncate ${shown(path)}`);
  }

  private hardlink({ linkName }: TarEntry, path: string): void {
    let target: string;
    try {
      target = pathWithin(linkName);
    } catch (error) {
      const sentence = `invalid hardlink target ${JSON.stringify(shown(linkName))}`;
      throw new EngineError("internal", sentence, { cause: error });
    }
    const from = this.folders.find(parentOf(target));
    try {
      const parent = this.folders.get(parentOf(path));
      must(linkRaw(from, baseOf(target), parent, baseOf(path)), () => `linkat ${shown(path)}`);
    } finally {
      close(from);
    }
  }

  /** Symlinks, devices and pipes. */
  private node(entry: TarEntry, path: string): void {
    const parent = this.folders.get(parentOf(path));
    const base = baseOf(path);
    const { type, mode, mtime, xattrs, linkName, deviceMajor, deviceMinor } = entry;
    if (type === "symlink") must(symlinkRaw(linkName, parent, base), () => `symlinkat ${shown(path)}`);
    else {
      const device = makeDevice(deviceMajor, deviceMinor);
      must(
        mknodRaw(parent, base, nodeType(type) | (mode & permissions), device),
        () => `mknodat ${shown(path)}`,
      );
    }
    const { uid, gid } = this.ownerOf(entry, path);
    must(chownRaw(parent, base, uid, gid), () => lchownFailure(path, uid, gid));
    if (xattrs.size > 0) setAttributes(parent, base, xattrs);
    if (type !== "symlink") chmodNode(parent, base, mode, path);
    must(setTimeRaw(parent, base, mtime), () => `chtimes ${shown(path)}`);
  }

  private own(fd: number, entry: TarEntry, path: string): void {
    const { uid, gid } = this.ownerOf(entry, path);
    must(fchownRaw(fd, uid, gid), () => lchownFailure(path, uid, gid));
  }

  private ownerOf(entry: TarEntry, path: string): Owner {
    const { uid, gid } = this.options.owner ?? entry;
    const { remap } = this.target;
    if (remap === undefined) return { uid, gid };
    const seen = { uid: seenAs(remap.uids, uid), gid: seenAs(remap.gids, gid) };
    if (seen.uid === undefined || seen.gid === undefined)
      throw new SystemError(lchownFailure(path, uid, gid), "EINVAL");
    return { uid: seen.uid, gid: seen.gid };
  }
}

/** A leading slash is the folder itself; an entry that would leave it ends the extraction. */
function entryPath(name: string): string {
  try {
    return pathWithin(name);
  } catch (error) {
    const sentence = `invalid entry name ${JSON.stringify(shown(name))}`;
    throw new EngineError("internal", sentence, { cause: error });
  }
}

function removal(path: string, remove: () => void): void {
  try {
    remove();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string") throw error;
    const why = messageOf(error).endsWith(`: ${code}`) ? code : messageOf(error);
    throw Object.assign(new EngineError("internal", `RemoveAll ${shown(path)}: ${why}`, { cause: error }), {
      code,
    });
  }
}

/** By a path descriptor, and only if it is what was made: chmod(2) by name would follow a link that took its place. */
function chmodNode(parent: number, base: string, mode: number, path: string): void {
  const fd = must(openRaw(parent, base, flags.path | flags.noFollow), () => `openat ${shown(path)}`);
  try {
    if ((statFd(fd).mode & fileType.mask) === fileType.symlink) return;
    must(chmodRaw(cwdFd, `/proc/self/fd/${fd}`, mode), () => `chmodat ${shown(path)}`);
  } finally {
    close(fd);
  }
}

const lchownFailure = (path: string, uid: number, gid: number): string =>
  `failed to Lchown ${JSON.stringify(shown(path))} for UID ${uid}, GID ${gid}: lchownat ${shown(path)}`;

/** A name that is too long is nobody's; making it tells so. */
const statusOf = (parent: number, base: string): FileStatus | undefined =>
  base.length > nameLengthMax ? undefined : statAt(parent, base);

const isFolder = ({ mode }: FileStatus): boolean => (mode & fileType.mask) === fileType.directory;
const nodeType = (type: TarEntry["type"]): number =>
  type === "char" ? fileType.char : type === "block" ? fileType.block : fileType.fifo;

/** Opens what an archive is to go to, every link followed. */
export function openTarget(root: number, path: string): number {
  const fd = openInsideRaw(root, toBytes(path), flags.path);
  if (fd === ENOTDIR) throw new EngineError("internal", "not a directory");
  if (fd === ELOOP) throw new EngineError("internal", "EvalSymlinks: too many links");
  return must(fd, () => `lstat ${path}`);
}
