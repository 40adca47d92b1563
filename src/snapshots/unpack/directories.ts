import { EngineError } from "../../lib/errors.ts";
import {
  close,
  EEXIST,
  ELOOP,
  ENOENT,
  ENOTDIR,
  type FileTime,
  fileType,
  flags,
  fsetTimeRaw,
  mkdirRaw,
  must,
  openWithinRaw,
  readLink,
  resolve,
  statFd,
} from "../../system/files/at.ts";
import { baseOf, parentOf, shown } from "./names.ts";

/** An open directory of the layer. */
export interface Directory {
  fd: number;
  /** its path below the root with no symlink in it */
  real: string;
  /** new files inherit its group */
  setgid: boolean;
  /** the modification time it must have in the end, whatever is made in it meanwhile */
  time: FileTime;
}

const openMax = 200;
const openFlags = flags.readOnly | flags.directory;
const plainly = resolve.noMagicLinks | resolve.noSymlinks | resolve.beneath;
/** Symlinks are followed as inside the container: absolute ones and `..` end at the layer's root. */
const asInside = resolve.noMagicLinks | resolve.inRoot;

/**
 * The directories an archive writes to, held open, so that each name is resolved once and no path is walked again.
 * While one is held its wanted time is kept here, and set when it is let go. Memory is bounded: a full table is let go
 * as a whole. `forget` must be called before a directory or symlink is taken away, for paths may then mean others.
 */
export class Directories {
  private readonly root: number;
  private readonly byPath = new Map<string, Directory>();
  private readonly byInode = new Map<bigint, Directory>();
  private rootPath: string | undefined;

  constructor(root: number) {
    this.root = root;
  }

  /** The directory at `path`; missing ones are made on the way (0755, root) unless `make` is false. */
  get(path: string, make = true): Directory {
    const known = this.byPath.get(path);
    if (known !== undefined) return known;
    let opened = this.open(path);
    if (opened.fd === ENOENT && make) {
      this.make(path);
      opened = this.open(path);
    }
    if (opened.fd === ENOENT || opened.fd === ENOTDIR || opened.fd === ELOOP)
      throw new EngineError("invalid", `${JSON.stringify(shown(path))} is not a directory in the archive`);
    must(opened.fd, () => `open ${shown(path)}`);
    return this.hold(path, opened.fd, opened.plain);
  }

  /** Lets go of all, and gives each its time. */
  forget(): void {
    for (const { fd, time } of this.byInode.values()) {
      const result = fsetTimeRaw(fd, time);
      close(fd);
      must(result, () => "set the time of a directory");
    }
    this.byInode.clear();
    this.byPath.clear();
  }

  /** Closes all, for a layer that is given up. */
  abandon(): void {
    for (const { fd } of this.byInode.values()) close(fd);
    this.byInode.clear();
    this.byPath.clear();
  }

  private open(path: string): { fd: number; plain: boolean } {
    const fd = openWithinRaw(this.root, path === "" ? "." : path, openFlags, plainly);
    if (fd !== ELOOP) return { fd, plain: true };
    return { fd: openWithinRaw(this.root, path, openFlags, asInside), plain: false };
  }

  private make(path: string): void {
    const parent = this.get(parentOf(path));
    const result = mkdirRaw(parent.fd, baseOf(path), 0o755);
    if (result !== EEXIST) must(result, () => `make directory ${shown(path)}`);
  }

  private hold(path: string, fd: number, plain: boolean): Directory {
    const { inode, mode, mtime } = statFd(fd);
    const same = this.byInode.get(inode);
    if (same !== undefined) {
      close(fd);
      this.byPath.set(path, same);
      return same;
    }
    if (this.byInode.size >= openMax || this.byPath.size >= 4 * openMax) this.forget();
    const real = plain ? path : this.realPath(fd);
    const directory = { fd, real, setgid: (mode & 0o2000) !== 0, time: mtime };
    this.byPath.set(path, directory);
    this.byInode.set(inode, directory);
    return directory;
  }

  private realPath(fd: number): string {
    this.rootPath ??= readLink(-100, `/proc/self/fd/${this.root}`);
    return readLink(-100, `/proc/self/fd/${fd}`).slice(this.rootPath.length + 1);
  }
}

export const isDirectory = (mode: number): boolean => (mode & fileType.mask) === fileType.directory;
