import { EngineError } from "../../lib/errors.ts";
import {
  chmodRaw,
  chownRaw,
  close,
  EEXIST,
  EISDIR,
  type FileStatus,
  type FileTime,
  fchmodRaw,
  fchownRaw,
  fileType,
  flags,
  fsetTimeRaw,
  linkRaw,
  listNames,
  makeDevice,
  mknodRaw,
  must,
  openRaw,
  readLink,
  setTimeRaw,
  statAt,
  statFd,
  symlinkRaw,
  toText,
  unlinkRaw,
} from "../../system/files/at.ts";
import {
  getXattr,
  getXattrFd,
  listXattrs,
  listXattrsFd,
  setXattrAtRaw,
  setXattrRaw,
} from "../../system/files/xattr.ts";
import { copyContent } from "./content.ts";
import { depthMax, hashFile, isCopied } from "./contents/digest.ts";
import type { Tally } from "./contents/tally.ts";
import type { Filter } from "./filter.ts";
import type { ModeChange } from "./mode.ts";
import { closePlace, givesGroup, type Owner, type Place, type Target } from "./target.ts";
import type { FileDetails, ToldLayer } from "./told-layer.ts";
import { countFile } from "./worker/garbage.ts";
import { type Stop, throwIfStopped } from "./worker/stop.ts";

export interface WriteRules {
  /** undefined = as the source has it (archives) */
  owner: Owner | undefined;
  /** whether extended attributes are copied */
  attributes: boolean;
  mode: ModeChange | undefined;
  /** no time later than this, seconds since the epoch */
  latest: number | undefined;
  ignore: Filter;
  exclude: Filter;
  stop: Stop | undefined;
}

/** Where the writing of a layer is told that is told while it is written. */
export interface Telling {
  layer: ToldLayer;
  tally: Tally;
}

interface Written {
  files: number;
  bytes: number;
}

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const fileFlags = flags.readOnly | flags.noFollow | flags.nonBlock;
const newFile = flags.readWrite | flags.create | flags.exclusive | flags.noFollow;
/** what the engine's umask (`engine/start.ts`) leaves alone */
const umaskSafe = 0o755;
const noXattrs = new Map<string, string>();

/** Writes files and folders of one source into the new layer. */
export class Writer {
  readonly written: Written = { files: 0, bytes: 0 };
  private readonly rules: WriteRules;
  private readonly target: Target;
  /** inode of a source's file with several names → descriptor of the folder with its copy, and its name there */
  private readonly links = new Map<string, string>();
  private readonly root: Place;
  private readonly telling: Telling | undefined;

  constructor(target: Target, rules: WriteRules, telling?: Telling) {
    this.target = target;
    this.rules = rules;
    this.telling = telling;
    this.root = target.folder("", { uid: 0, gid: 0 });
  }

  close(): void {
    closePlace(this.root);
  }

  /** The contents of an open folder; `path` is where it is in its tree, `told` below its source. */
  folder(from: number, path: string, told: string, place: Place, depth = 0): void {
    if (depth > depthMax)
      throw new EngineError("invalid", `${toText(path)} is nested over ${depthMax} folders deep`);
    // names that share a file share its copy within one match, as BuildKit has it
    if (depth === 0) this.links.clear();
    for (const name of listNames(from)) {
      countFile();
      throwIfStopped(this.rules.stop);
      const status = statAt(from, name);
      if (status === undefined) continue;
      const whole = path === "" ? name : `${path}/${name}`;
      this.entry(from, name, { whole, told: `${told}${name}`, status, place, depth });
    }
  }

  private entry(
    from: number,
    name: string,
    entry: { whole: string; told: string; status: FileStatus; place: Place; depth: number },
  ): void {
    const { whole, told, status, place, depth } = entry;
    const type = status.mode & fileType.mask;
    if (type === fileType.socket) return;
    const { ignore, exclude } = this.rules;
    const ignored = ignore.excludes(toText(whole));
    const excluded = exclude.excludes(toText(told));
    const out = ignored || excluded;
    if (type !== fileType.directory) {
      if (!out) this.file(from, name, { status, told }, place, name);
      return;
    }
    if ((ignored && ignore.prunes(toText(whole))) || (excluded && exclude.prunes(toText(told)))) return;
    // a left-out folder is made for what it holds, if anything
    if (out && !this.folderHoldsAny(from, name, whole, `${told}/`, depth + 1)) return;
    const source = must(openRaw(from, name, folderFlags), () => `open ${toText(whole)}`);
    try {
      const inner = this.enter(place, name);
      try {
        this.details(from, name, status, place.upper, name);
        this.telling?.tally.add(told, status);
        this.telling?.layer.folder(place, name, this.timeOf(status.mtime));
        this.folder(source, whole, `${told}/`, inner, depth + 1);
      } finally {
        closePlace(inner);
      }
      this.setTime(place.upper, name, status.mtime);
    } finally {
      close(source);
    }
  }

  private enter(place: Place, name: string): Place {
    try {
      return this.target.enter(place, name, () => undefined);
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind !== "invalid") throw error;
      throw new EngineError("invalid", `cannot copy to non-directory: ${toText(`${place.path}/${name}`)}`);
    }
  }

  /** By a descriptor of its own: a folder is read once from each. */
  private folderHoldsAny(from: number, name: string, path: string, told: string, depth: number): boolean {
    const fd = openRaw(from, name, folderFlags);
    if (fd < 0) return false;
    try {
      return this.holdsAny(fd, path, told, depth);
    } finally {
      close(fd);
    }
  }

  private holdsAny(from: number, path: string, told: string, depth: number): boolean {
    if (depth > depthMax) return false;
    const { ignore, exclude } = this.rules;
    for (const name of listNames(from)) {
      const whole = toText(`${path}/${name}`);
      const below = toText(`${told}${name}`);
      const ignored = ignore.excludes(whole);
      const excluded = exclude.excludes(below);
      const status = statAt(from, name);
      if (status === undefined) continue;
      if (!ignored && !excluded) return true;
      if ((status.mode & fileType.mask) !== fileType.directory) continue;
      if ((ignored && ignore.prunes(whole)) || (excluded && exclude.prunes(below))) continue;
      if (this.folderHoldsAny(from, name, `${path}/${name}`, `${told}${name}/`, depth + 1)) return true;
    }
    return false;
  }

  /** One file, link, device or fifo, as `as` in a place; `told` below its source. */
  file(
    from: number,
    name: string,
    { status, told }: { status: FileStatus; told: string },
    place: Place,
    as: string,
  ): void {
    this.refuseFolder(place, as);
    const type = status.mode & fileType.mask;
    const path = `${place.path}/${as}`;
    const again = status.links > 1 ? `${status.onMajor}:${status.onMinor}:${status.inode}` : undefined;
    const first = again === undefined ? undefined : this.links.get(again);
    if (first === undefined && type === fileType.file) {
      const source = must(openRaw(from, name, fileFlags), () => `open ${toText(name)}`);
      try {
        this.regular(source, { status, told }, place, as);
      } finally {
        close(source);
      }
    } else {
      if (first !== undefined)
        this.make(place, as, () => linkRaw(this.root.upper, first.slice(1), place.upper, as));
      else this.special(from, name, status, place, as);
      // as it is now: a link that was changed before it was read must not count as what it was
      this.telling?.tally.add(told, statAt(from, name) ?? status);
      this.telling?.layer.other(place, as, first);
    }
    if (again !== undefined && first === undefined) this.links.set(again, path);
  }

  private special(from: number, name: string, status: FileStatus, place: Place, as: string): void {
    if ((status.mode & fileType.mask) === fileType.symlink) {
      const to = readLink(from, name);
      this.make(place, as, () => symlinkRaw(to, place.upper, as));
    } else {
      const device = makeDevice(status.deviceMajor, status.deviceMinor);
      this.make(place, as, () => mknodRaw(place.upper, as, status.mode, device));
    }
    this.details(from, name, status, place.upper, as);
    this.setTime(place.upper, as, status.mtime);
  }

  /** The content of an open regular file, with its details. */
  regular(
    source: number,
    { status: before, told }: { status: FileStatus; told: string },
    place: Place,
    as: string,
  ): void {
    this.refuseFolder(place, as);
    const made = this.modeOf(before) & umaskSafe;
    const to = this.make(place, as, () => openRaw(place.upper, as, newFile, made));
    try {
      const { size, whole } = copyContent(source, to, before.size);
      this.written.files++;
      this.written.bytes += size;
      const status = statFd(source);
      const details = this.fileDetails(source, status);
      this.giveDetails(to, place, as, { ...details, made });
      if (this.telling === undefined) return;
      const { layer, tally } = this.telling;
      tally.add(told, status, tally.isRecent(status) ? hashFile(to, size) : "");
      layer.file(`${place.path}/${as}`, details, whole ?? { fd: to, size });
    } finally {
      close(to);
    }
  }

  private fileDetails(source: number, status: FileStatus): FileDetails {
    const { uid, gid } = this.rules.owner ?? status;
    const keys = this.rules.attributes ? listXattrsFd(source) : [];
    const xattrs = keys.length === 0 ? noXattrs : new Map<string, string>();
    for (const key of keys) {
      const value = isCopied(key) ? getXattrFd(source, key) : undefined;
      if (value !== undefined) xattrs.set(key, value.toString("latin1"));
    }
    return { mode: this.modeOf(status), uid, gid, mtime: this.timeOf(status.mtime), xattrs };
  }

  /** `made`: the mode that it was made with, and owned by root, unless its folder gives its group on. */
  private giveDetails(
    to: number,
    place: Place,
    as: string,
    { mode, uid, gid, mtime, xattrs, made }: FileDetails & { made: number },
  ): void {
    const what = (): string => `write ${toText(as)}`;
    if (uid !== 0 || gid !== 0 || givesGroup(place)) must(fchownRaw(to, uid, gid), what);
    if (mode !== made) must(fchmodRaw(to, mode), what);
    for (const [key, value] of xattrs) must(setXattrRaw(to, key, Buffer.from(value, "latin1")), what);
    must(fsetTimeRaw(to, mtime), what);
  }

  /** Makes a name; what an earlier source of this step put there gives way. */
  private make(place: Place, name: string, make: () => number): number {
    const what = (): string => `make ${toText(`${place.path}/${name}`)}`;
    const made = make();
    if (made !== EEXIST) return must(made, what);
    const gone = unlinkRaw(place.upper, name);
    if (gone === EISDIR) throw cannotReplace(place, name);
    must(gone, what);
    return must(make(), what);
  }

  private refuseFolder(place: Place, name: string): void {
    const below = place.below < 0 ? undefined : statAt(place.below, name);
    if (below !== undefined && (below.mode & fileType.mask) === fileType.directory)
      throw cannotReplace(place, name);
  }

  private modeOf({ mode }: FileStatus): number {
    const bits = mode & 0o7777;
    return this.rules.mode?.(bits, (mode & fileType.mask) === fileType.directory) ?? bits;
  }

  /** Whole seconds, as in every layer. */
  timeOf(time: FileTime): FileTime {
    const { latest } = this.rules;
    return { s: latest !== undefined && time.s >= latest ? latest : time.s, ns: 0 };
  }

  private setTime(to: number, as: string, mtime: FileTime): void {
    must(setTimeRaw(to, as, this.timeOf(mtime)), () => `set the time of ${toText(as)}`);
  }

  /** Owner, mode and attributes of what is no regular file. */
  details(from: number, name: string, status: FileStatus, to: number, as: string): void {
    const what = (): string => `set details of ${toText(as)}`;
    const { uid, gid } = this.rules.owner ?? status;
    must(chownRaw(to, as, uid, gid), what);
    if ((status.mode & fileType.mask) !== fileType.symlink) must(chmodRaw(to, as, this.modeOf(status)), what);
    if (this.rules.attributes) this.attributes(from, name, to, as);
  }

  private attributes(from: number, name: string, to: number, as: string): void {
    for (const key of listXattrs(from, name).filter(isCopied)) {
      const value = getXattr(from, name, key);
      if (value !== undefined)
        must(setXattrAtRaw(to, as, key, value), () => `set attribute ${key} of ${toText(as)}`);
    }
  }
}

const cannotReplace = (place: Place, name: string): EngineError =>
  new EngineError("invalid", `cannot replace to directory ${toText(`${place.path}/${name}`)} with file`);
