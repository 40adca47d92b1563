import { EngineError } from "../../lib/errors.ts";
import {
  chmodRaw,
  chownRaw,
  close,
  type FileTime,
  fchmodRaw,
  fchownRaw,
  fileType,
  flags,
  fsetTimeRaw,
  linkRaw,
  listNames,
  makeDevice,
  mkdirRaw,
  mknodRaw,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  rmdirRaw,
  setTimeRaw,
  statAt,
  symlinkRaw,
  toText,
  unlinkRaw,
  writeAll,
} from "../../system/files/at.ts";
import { type Entry, parentOf, typeOf } from "./entry.ts";
import type { Tree, TreeFile } from "./tree.ts";

const nsPerSecond = 1_000_000_000n;
const timeOf = ({ modTime }: Entry): FileTime => {
  const ns = ((modTime % nsPerSecond) + nsPerSecond) % nsPerSecond;
  return { s: Number((modTime - ns) / nsPerSecond), ns: Number(ns) };
};

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
/** the kernel resolves; no symlink on the way is followed, whatever lies in the folder */
const strictly = resolve.beneath | resolve.noSymlinks | resolve.noMagicLinks;

const folderFlags = flags.path | flags.directory | flags.noFollow;

const noTarget = ({ path }: Entry): EngineError =>
  new EngineError("invalid", `hard link ${toText(path)} has no file of the listing as its target`);

/** A folder on disk. All calls block: for a worker thread. */
export class DiskTree implements Tree {
  private readonly root: number;
  /** the last parent, still open: listings are sorted */
  private parentPath = "";
  private parentFd: number;

  constructor(root: string) {
    const name = Buffer.from(root, "utf8").toString("latin1");
    this.root = must(
      openRaw(-100, name, flags.path | flags.directory | flags.noFollow),
      () => `open ${root}`,
    );
    this.parentFd = this.root;
  }

  makeDirectory(entry: Entry): void {
    this.check(mkdirRaw(this.parent(entry.path), nameOf(entry.path), 0o700), "mkdir", entry.path);
    this.changeDirectory(entry);
  }

  changeDirectory(entry: Entry): void {
    const [parent, name] = [this.parent(entry.path), nameOf(entry.path)];
    this.check(chownRaw(parent, name, entry.uid, entry.gid), "chown", entry.path);
    this.check(chmodRaw(parent, name, entry.mode & 0o7777), "chmod", entry.path);
  }

  makeNode(entry: Entry): void {
    const [parent, name] = [this.parent(entry.path), nameOf(entry.path)];
    if (typeOf(entry) === fileType.symlink) {
      this.check(symlinkRaw(entry.link, parent, name), "symlink", entry.path);
      this.check(chownRaw(parent, name, entry.uid, entry.gid), "chown", entry.path);
    } else {
      const device = makeDevice(entry.deviceMajor, entry.deviceMinor);
      this.check(mknodRaw(parent, name, typeOf(entry), device), "mknod", entry.path);
      this.changeDirectory(entry);
    }
    this.check(setTimeRaw(parent, name, timeOf(entry)), "set times of", entry.path);
  }

  makeHardLink(entry: Entry): void {
    const from = openWithinRaw(this.root, parentOf(entry.link) || ".", folderFlags, strictly);
    if (from < 0) throw noTarget(entry);
    try {
      const target = statAt(from, nameOf(entry.link));
      if (target === undefined || (target.mode & fileType.mask) !== fileType.file) throw noTarget(entry);
      const result = linkRaw(from, nameOf(entry.link), this.parent(entry.path), nameOf(entry.path));
      this.check(result, "link", entry.path);
    } finally {
      close(from);
    }
  }

  createFile(entry: Entry): TreeFile {
    const flag = flags.writeOnly | flags.create | flags.exclusive | flags.noFollow;
    const fd = openRaw(this.parent(entry.path), nameOf(entry.path), flag, 0o600);
    this.check(fd, "create", entry.path);
    return {
      write: (bytes) => writeAll(fd, bytes, () => `write ${toText(entry.path)}`),
      finish: () => {
        try {
          if (entry.uid !== 0 || entry.gid !== 0)
            this.check(fchownRaw(fd, entry.uid, entry.gid), "chown", entry.path);
          this.check(fchmodRaw(fd, entry.mode & 0o7777), "chmod", entry.path);
          this.check(fsetTimeRaw(fd, timeOf(entry)), "set times of", entry.path);
        } finally {
          close(fd);
        }
      },
      abandon: () => close(fd),
    };
  }

  setDirectoryTime(entry: Entry): void {
    const result = setTimeRaw(this.parent(entry.path), nameOf(entry.path), timeOf(entry));
    this.check(result, "set times of", entry.path);
  }

  remove(path: string): void {
    this.forgetParent();
    this.removeIn(this.parent(path), nameOf(path), path);
  }

  close(): void {
    this.forgetParent();
    close(this.root);
  }

  private removeIn(dir: number, name: string, path: string): void {
    const status = statAt(dir, name);
    if (!status) return;
    if ((status.mode & fileType.mask) !== fileType.directory) {
      this.check(unlinkRaw(dir, name), "unlink", path);
      return;
    }
    const fd = openRaw(dir, name, flags.readOnly | flags.directory | flags.noFollow);
    this.check(fd, "open", path);
    try {
      for (const each of listNames(fd)) this.removeIn(fd, each, `${path}/${each}`);
    } finally {
      close(fd);
    }
    this.check(rmdirRaw(dir, name), "rmdir", path);
  }

  private parent(path: string): number {
    const wanted = parentOf(path);
    if (wanted === this.parentPath) return this.parentFd;
    this.forgetParent();
    this.parentFd = this.open(wanted);
    this.parentPath = wanted;
    return this.parentFd;
  }

  /** A descriptor of a directory below the root, to be closed. */
  private open(path: string): number {
    const fd = openWithinRaw(this.root, path === "" ? "." : path, folderFlags, strictly);
    this.check(fd, "open", path);
    return fd;
  }

  private forgetParent(): void {
    if (this.parentFd !== this.root) close(this.parentFd);
    this.parentFd = this.root;
    this.parentPath = "";
  }

  private check(result: number, doing: string, path: string): void {
    must(result, () => `${doing} ${toText(path)}`);
  }
}
