import { EngineError } from "../../lib/errors.ts";
import type { TarEntry } from "../../lib/tar/entry.ts";
import type { TarListener } from "../../lib/tar/reader.ts";
import {
  chmodRaw,
  chownRaw,
  EEXIST,
  ENOENT,
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
  renameRaw,
  setTimeRaw,
  statAt,
  symlinkRaw,
  truncateRaw,
  unlinkRaw,
} from "../../system/files/at.ts";
import {
  hide,
  isWhiteout,
  type LayerForm,
  makeOpaque,
  opaqueMarker,
  whiteoutPrefix,
} from "../drivers/form.ts";
import type { RecordWriter, Replacement } from "../record.ts";
import { setAttributes } from "./attributes.ts";
import { ContentWriter } from "./content-writer.ts";
import { Directories, type Directory, isDirectory } from "./directories.ts";
import { baseOf, linkStays, parentOf, pathWithin, shown } from "./names.ts";

interface UnpackOptions {
  /** the layer's folder, and one beside it for what later entries replace; open descriptors */
  root: number;
  replaced: number;
  record: RecordWriter;
  form: LayerForm;
  kind: "layer" | "root";
  /** refuse past these */
  bytesMax: number;
  entriesMax: number;
}

const createFlags = flags.writeOnly | flags.create | flags.exclusive | flags.noFollow;
const createdMax = 0o777;
/** What any umask of a daemon leaves alone; other permission bits are set after. */
const umaskSafe = 0o755;

/**
 * Unpacks one layer as the tar reader tells it. Existing names are never opened for writing: a file is made anew
 * (O_EXCL) in a directory that was resolved inside the layer, so links in the archive cannot lead a write elsewhere.
 */
export class Unpacker implements TarListener {
  private readonly options: UnpackOptions;
  private readonly directories: Directories;
  private entries = 0;
  private content: ContentWriter | undefined;
  /** bytes of regular files and of symlinks' texts, as Docker counts */
  size = 0;
  readonly replacements: Replacement[] = [];

  constructor(options: UnpackOptions) {
    this.options = options;
    this.directories = new Directories(options.root);
  }

  entry(entry: TarEntry): void {
    const { entriesMax, kind } = this.options;
    if (++this.entries > entriesMax)
      throw new EngineError("invalid", `the archive has more than ${entriesMax} entries`);
    this.account(entry.size);
    const path = pathWithin(entry.name);
    const base = baseOf(path);
    if (base.startsWith(whiteoutPrefix)) {
      if (kind === "root")
        throw new EngineError(
          "invalid",
          `${JSON.stringify(shown(path))} is a whiteout, which a root file system cannot have`,
        );
      this.whiteout(parentOf(path), base);
    } else if (entry.type === "directory") this.directory(entry, path);
    else if (path === "")
      throw new EngineError("invalid", `the archive's root is a ${entry.type}, not a directory`);
    else if (entry.type === "file") this.file(entry, path);
    else if (entry.type === "hardlink") this.hardlink(entry, path);
    else this.node(entry, path);
  }

  data(bytes: Uint8Array): void {
    if (this.content === undefined) this.options.record.raw(bytes);
    else this.content.write(bytes);
  }

  end(): void {
    const content = this.content;
    if (content === undefined) return;
    this.content = undefined;
    content.finish();
  }

  raw(bytes: Uint8Array): void {
    this.options.record.raw(bytes);
    if (this.options.record.rawBytes > this.options.bytesMax) this.account(0);
  }

  /** Sets the directories' times, once the archive is over. */
  finish(): void {
    this.directories.forget();
  }

  abandon(): void {
    this.content?.abandon();
    this.content = undefined;
    this.directories.abandon();
  }

  private account(size: number): void {
    this.size += size;
    const { bytesMax, record } = this.options;
    if (this.size + record.rawBytes > bytesMax)
      throw new EngineError(
        "tooLarge",
        `the archive would unpack to at least ${this.size + record.rawBytes} bytes, and ${bytesMax} are free or allowed`,
      );
  }

  private whiteout(parent: string, base: string): void {
    const { form } = this.options;
    const hidden = base.slice(whiteoutPrefix.length);
    if (hidden === "" || hidden === "." || hidden === "..")
      throw new EngineError("invalid", `the archive has a whiteout of ${JSON.stringify(hidden)}`);
    const directory = this.directories.get(parent);
    if (base === opaqueMarker) makeOpaque(form, directory.fd);
    // other names of this kind are an older driver's own bookkeeping
    else if (!hidden.startsWith(whiteoutPrefix) && !hide(form, directory.fd, hidden))
      this.hideBelow(directory, hidden);
  }

  /** A whiteout of what this layer has itself: it concerns lower layers only, so a directory starts empty. */
  private hideBelow(parent: Directory, name: string): void {
    const status = statAt(parent.fd, name);
    if (status !== undefined && isDirectory(status.mode))
      makeOpaque(
        this.options.form,
        this.directories.get(parent.real === "" ? name : `${parent.real}/${name}`).fd,
      );
  }

  private directory(entry: TarEntry, path: string): void {
    if (path === "") {
      this.directoryDetails(entry, this.directories.get(""));
      return;
    }
    const base = baseOf(path);
    const parent = this.directories.get(parentOf(path));
    const made = mkdirRaw(parent.fd, base, entry.mode & createdMax);
    if (made === EEXIST) {
      this.existingDirectory(entry, path);
      return;
    }
    must(made, () => `make directory ${shown(path)}`);
    this.directoryByName(entry, parent, base);
  }

  private directoryByName(entry: TarEntry, parent: Directory, base: string): void {
    const { mode, uid, gid, mtime, xattrs } = entry;
    const what = (): string => `set details of ${shown(entry.name)}`;
    if (uid !== 0 || gid !== 0 || parent.setgid) must(chownRaw(parent.fd, base, uid, gid), what);
    if ((mode & ~umaskSafe) !== 0 || parent.setgid) must(chmodRaw(parent.fd, base, mode), what);
    if (xattrs.size > 0) setAttributes(parent.fd, base, xattrs);
    must(setTimeRaw(parent.fd, base, mtime), what);
  }

  private existingDirectory(entry: TarEntry, path: string): void {
    const base = baseOf(path);
    const status = statAt(this.directories.get(parentOf(path)).fd, base);
    if (status !== undefined && isDirectory(status.mode)) {
      this.directoryDetails(entry, this.directories.get(path));
      return;
    }
    const wasWhiteout = status !== undefined && isWhiteout(status);
    this.displace(path);
    must(
      mkdirRaw(this.directories.get(parentOf(path)).fd, base, 0o755),
      () => `make directory ${shown(path)}`,
    );
    const directory = this.directories.get(path);
    this.directoryDetails(entry, directory);
    if (wasWhiteout) makeOpaque(this.options.form, directory.fd);
  }

  private directoryDetails({ name, mode, uid, gid, mtime, xattrs }: TarEntry, directory: Directory): void {
    const what = (): string => `set details of ${shown(name)}`;
    must(fchownRaw(directory.fd, uid, gid), what);
    must(fchmodRaw(directory.fd, mode), what);
    if (xattrs.size > 0) setAttributes(directory.fd, undefined, xattrs);
    directory.setgid = (mode & 0o2000) !== 0;
    directory.time = mtime;
  }

  private file(entry: TarEntry, path: string): void {
    const base = baseOf(path);
    const mode = entry.mode & createdMax;
    const { fd, parent } = this.make(path, (directory) => openRaw(directory.fd, base, createFlags, mode));
    const { uid, gid, mtime, xattrs } = entry;
    this.content = new ContentWriter(fd, entry, () => {
      const what = (): string => `set details of ${shown(path)}`;
      if (uid !== 0 || gid !== 0 || parent.setgid) must(fchownRaw(fd, uid, gid), what);
      if ((entry.mode & ~umaskSafe) !== 0) must(fchmodRaw(fd, entry.mode), what);
      if (xattrs.size > 0) setAttributes(fd, undefined, xattrs);
      must(fsetTimeRaw(fd, mtime), what);
    });
    const real = parent.real === "" ? base : `${parent.real}/${base}`;
    if (entry.sparse === undefined) {
      if (entry.size > 0) this.options.record.file(real, 0, entry.size);
      return;
    }
    must(truncateRaw(fd, entry.size), () => `make sparse file ${shown(path)}`);
    for (const { offset, length } of entry.sparse) this.options.record.file(real, offset, length);
  }

  private hardlink(entry: TarEntry, path: string): void {
    const target = this.linkTarget(entry, path);
    const base = baseOf(path);
    const result = this.make(path, (directory) => {
      const from = this.directories.get(parentOf(target), false);
      // `get` may have let go of the directory it was given before
      const to = this.directories.get(parentOf(path));
      const made = linkRaw(from.fd, baseOf(target), to.fd, base);
      return made === ENOENT && directory.fd >= 0 ? missingLink : made;
    });
    if (result.fd === missingLink)
      throw new EngineError(
        "invalid",
        `the hard link ${JSON.stringify(shown(path))} is to ${JSON.stringify(shown(target))}, which the archive does not have`,
      );
  }

  private linkTarget({ linkName }: TarEntry, path: string): string {
    try {
      return pathWithin(linkName);
    } catch (error) {
      throw new EngineError(
        "invalid",
        `invalid hardlink ${JSON.stringify(shown(path))} -> ${JSON.stringify(shown(linkName))}`,
        {
          cause: error,
        },
      );
    }
  }

  private node(entry: TarEntry, path: string): void {
    const { type, mode, uid, gid, mtime, xattrs, linkName } = entry;
    const base = baseOf(path);
    if (type === "symlink") this.size += linkName.length;
    if (type === "symlink" && !linkStays(path, linkName))
      throw new EngineError(
        "invalid",
        `invalid symlink ${JSON.stringify(shown(path))} -> ${JSON.stringify(shown(linkName))}`,
      );
    const { parent } = this.make(path, (directory) =>
      type === "symlink"
        ? symlinkRaw(linkName, directory.fd, base)
        : mknodRaw(
            directory.fd,
            base,
            nodeType(type) | (mode & createdMax),
            makeDevice(entry.deviceMajor, entry.deviceMinor),
          ),
    );
    const what = (): string => `set details of ${shown(path)}`;
    if (uid !== 0 || gid !== 0 || parent.setgid) must(chownRaw(parent.fd, base, uid, gid), what);
    if (type !== "symlink") must(chmodRaw(parent.fd, base, mode), what);
    if (xattrs.size > 0) setAttributes(parent.fd, base, xattrs);
    must(setTimeRaw(parent.fd, base, mtime), what);
  }

  /** Makes a name; what had it before is put aside. The directory it returns is held until the next name. */
  private make(path: string, act: (parent: Directory) => number): { fd: number; parent: Directory } {
    let result = act(this.directories.get(parentOf(path)));
    if (result === EEXIST) {
      this.displace(path);
      result = act(this.directories.get(parentOf(path)));
    }
    if (result !== missingLink) must(result, () => `make ${shown(path)}`);
    return { fd: result, parent: this.directories.get(parentOf(path)) };
  }

  /** Takes a name away for a later entry of the same archive; content that the record needs is kept. */
  private displace(path: string): void {
    const base = baseOf(path);
    let parent = this.directories.get(parentOf(path));
    const status = statAt(parent.fd, base);
    if (status === undefined) return;
    const type = status.mode & fileType.mask;
    if (type === fileType.directory || type === fileType.symlink) {
      this.directories.forget();
      parent = this.directories.get(parentOf(path));
    }
    if (type !== fileType.directory && (type !== fileType.file || status.size === 0)) {
      must(unlinkRaw(parent.fd, base), () => `replace ${shown(path)}`);
      return;
    }
    const number = this.replacements.length + 1;
    must(renameRaw(parent.fd, base, this.options.replaced, String(number)), () => `replace ${shown(path)}`);
    const real = parent.real === "" ? base : `${parent.real}/${base}`;
    this.replacements.push({ before: this.options.record.fileFrames, path: real, number });
  }
}

/** Not an errno: the target of a hard link is missing. */
const missingLink = -10_000;
const nodeType = (type: TarEntry["type"]): number =>
  type === "char" ? fileType.char : type === "block" ? fileType.block : fileType.fifo;
