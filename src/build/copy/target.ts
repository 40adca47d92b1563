import { EngineError } from "../../lib/errors.ts";
import {
  chmodRaw,
  chownRaw,
  close,
  cwdFd,
  EEXIST,
  ELOOP,
  ENOENT,
  ENOTDIR,
  type FileStatus,
  type FileTime,
  fileType,
  flags,
  fsetTimeRaw,
  mkdirRaw,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  setTimeRaw,
  statAt,
  statFd,
  toBytes,
  toText,
} from "../../system/files/at.ts";
import { getXattr, listXattrs, setXattrAtRaw } from "../../system/files/xattr.ts";
import { isCopied } from "./contents/digest.ts";

export interface Owner {
  uid: number;
  gid: number;
}

/** A folder of the new layer, and what the layers below show at its place; -1 = nothing. Both are open. */
export interface Place {
  upper: number;
  below: number;
  path: string;
  /** see `givesGroup` */
  setgid?: boolean;
}

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const isFolder = ({ mode }: FileStatus): boolean => (mode & fileType.mask) === fileType.directory;

/**
 * The new layer's folder, written directly: what is there below it is only looked at (`view`, a read-only stack), so
 * nothing passes through an overlay. Folders that exist below are made again with the same details, as the kernel would
 * when something in them is written.
 */
export class Target {
  private readonly roots: Place;
  /** the time of folders made on the way; undefined = now */
  private readonly time: FileTime | undefined;

  constructor(upper: string, view: string | undefined, time: FileTime | undefined) {
    const open = (path: string): number =>
      must(openRaw(cwdFd, toBytes(path), flags.readOnly | flags.directory), () => `open ${path}`);
    this.roots = { upper: open(upper), below: view === undefined ? -1 : open(view), path: "" };
    this.time = time;
  }

  close(): void {
    closePlace(this.roots);
  }

  /** What is at a path (no links in it), in the new layer or below it. */
  status(path: string): FileStatus | undefined {
    for (const fd of [this.roots.upper, this.roots.below]) {
      const found = fd < 0 ? undefined : statWithin(fd, path.replace(/^\/+/, "") || ".");
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Opens the folder at a path without links, and makes what is missing of it, owned by `owner`. */
  folder(path: string, owner: Owner, mode = 0o755): Place {
    let place = this.again();
    for (const name of path.split("/").filter((part) => part !== "")) {
      const next = this.enter(place, name, (made) => this.fresh(made, name, owner, mode));
      closePlace(place);
      place = next;
    }
    return place;
  }

  /** Tells the folders on the way to a path, which are there: each as a name in the folder above it. */
  way(path: string, tell: (above: Place, name: string, status: FileStatus, isLast: boolean) => void): void {
    const names = path.split("/").filter((part) => part !== "");
    let place = this.again();
    try {
      for (const [index, name] of names.entries()) {
        const status = statAt(place.upper, name);
        if (status !== undefined) tell(place, name, status, index === names.length - 1);
        const next = this.enter(place, name, () => undefined);
        closePlace(place);
        place = next;
      }
    } finally {
      closePlace(place);
    }
  }

  /**
   * Opens (makes) a folder in a place. `details` sets those of a folder that neither the layer nor anything below has.
   */
  enter(place: Place, name: string, details: (dir: number) => void): Place {
    const path = `${place.path}/${name}`;
    // it would be the folder above, out of the layer
    if (name === "..") throw new EngineError("invalid", `invalid path ${toText(path)}`);
    const below = this.below(place, name, path);
    const before = below < 0 ? undefined : statFd(place.upper).mtime;
    const made = mkdirRaw(place.upper, name, 0o755);
    if (made !== EEXIST) must(made, () => `mkdir ${toText(path)}`);
    if (made !== EEXIST) {
      if (below >= 0) sameDetails(place.below, place.upper, name);
      else details(place.upper);
      // what was there already is nothing new in the folder above it
      if (before !== undefined)
        must(fsetTimeRaw(place.upper, before), () => `set the time of ${toText(path)}`);
    }
    const upper = openRaw(place.upper, name, folderFlags);
    if (upper === ENOTDIR || upper === ELOOP)
      throw new EngineError("invalid", `mkdir ${toText(path)}: not a directory`);
    return { upper: must(upper, () => `open ${toText(path)}`), below, path };
  }

  private below(place: Place, name: string, path: string): number {
    if (place.below < 0) return -1;
    const fd = openRaw(place.below, name, folderFlags);
    if (fd === ENOENT) return -1;
    if (fd >= 0) return fd;
    throw new EngineError("invalid", `mkdir ${toText(path)}: not a directory`);
  }

  private fresh(dir: number, name: string, { uid, gid }: Owner, mode: number): void {
    const what = (): string => `make folder ${toText(name)}`;
    must(chownRaw(dir, name, uid, gid), what);
    must(chmodRaw(dir, name, mode), what);
    if (this.time !== undefined) must(setTimeRaw(dir, name, this.time), what);
  }

  private again(): Place {
    const reopen = (fd: number): number =>
      fd < 0 ? -1 : must(openRaw(fd, ".", folderFlags), () => "open the target");
    return { upper: reopen(this.roots.upper), below: reopen(this.roots.below), path: "" };
  }
}

function statWithin(root: number, path: string): FileStatus | undefined {
  const plainly = resolve.noMagicLinks | resolve.noSymlinks | resolve.beneath;
  const fd = openWithinRaw(root, path, flags.path | flags.noFollow, plainly);
  if (fd < 0) return undefined;
  try {
    return statFd(fd);
  } finally {
    close(fd);
  }
}

/** Whether what is made in the folder has the folder's group. Its mode is final when the first file comes. */
export function givesGroup(place: Place): boolean {
  place.setgid ??= (statFd(place.upper).mode & 0o2000) !== 0;
  return place.setgid;
}

export function closePlace({ upper, below }: Place): void {
  close(upper);
  if (below >= 0) close(below);
}

/** Gives a folder of the layer the details it has below. */
function sameDetails(from: number, to: number, name: string): void {
  const status = statAt(from, name);
  if (status === undefined || !isFolder(status)) return;
  const what = (): string => `copy details of ${toText(name)}`;
  must(chownRaw(to, name, status.uid, status.gid), what);
  must(chmodRaw(to, name, status.mode & 0o7777), what);
  for (const key of listXattrs(from, name).filter(isCopied)) {
    const value = getXattr(from, name, key);
    if (value !== undefined) must(setXattrAtRaw(to, name, key, value), what);
  }
  must(setTimeRaw(to, name, status.mtime), what);
}
