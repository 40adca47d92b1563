import { EngineError } from "../../../lib/errors.ts";
import type { Owner } from "../../../lib/users/id-map.ts";
import {
  close,
  cwdFd,
  type FileStatus,
  fileType,
  flags,
  listNames,
  must,
  openRaw,
  openWithinRaw,
  readAtRaw,
  readLink,
  resolve,
  statAt,
  statFd,
  toText,
} from "../../../system/files/at.ts";
import { getXattr, getXattrFd, listXattrs, listXattrsFd } from "../../../system/files/xattr.ts";
import type { Filter } from "../filter.ts";
import { type Match, matchesOf, openTree } from "../match.ts";
import { countFile } from "../worker/garbage.ts";
import { type Stop, throwIfStopped } from "../worker/stop.ts";
import { FileList } from "./file-list.ts";
import { StatCache } from "./stat-cache.ts";
import { type Seen, Tally } from "./tally.ts";

interface DigestRequest {
  root: string;
  patterns: readonly string[];
  /** what the tree's ignore file leaves out, by paths below the tree's root */
  ignore: Filter;
  /** what `--exclude` leaves out, by paths below each source */
  exclude: Filter;
  /** whether names are kept whole (`--parents`) */
  parents: boolean;
  /** whether owners count */
  owners?: boolean;
  /** whether extended attributes count; `statCache` knows nothing of them */
  attributes?: boolean;
  /** file that keeps what is known of the tree; undefined = it will not be seen again */
  statCache: string | undefined;
  /** folder for lists of files, by digest: what a miss is explained with */
  lists: string;
  stop?: Stop;
}

export interface DigestResult {
  /** of names, types, modes, contents and links; of owners and attributes where they count, not of times */
  digest: string;
  /** a single name that is no folder: its destination may be a name too */
  matches: number;
  /** the first of what was named is a folder */
  isFolder: boolean;
  /** whose all of it is; undefined = of several */
  owner: Owner | undefined;
  files: number;
  bytes: number;
  /** for a copy that follows: whether it sees the same */
  seen: Seen;
}

export const depthMax = 1000;
const within = resolve.inRoot | resolve.noMagicLinks;

/** Digest of all that patterns name in a tree. Throws `notFound` where a plain name is missing. */
export function digestTree(request: DigestRequest): DigestResult {
  const root = openTree(request.root);
  const cache = new StatCache(request.statCache);
  const walk = new Digester(root, request, cache);
  try {
    let matches = 0;
    let isFolder = false;
    for (const pattern of request.patterns)
      for (const match of matchesOf(root, pattern, request.ignore)) {
        if (matches === 0) isFolder = match.isDirectory;
        matches++;
        walk.top(match);
      }
    const digest = walk.finish();
    walk.list.keep(request.lists, digest);
    const { files, bytes, tally } = walk;
    return { digest, matches, isFolder, owner: walk.owner(), files, bytes, seen: tally.seen };
  } finally {
    close(root);
    cache.save();
  }
}

const buffer = Buffer.allocUnsafe(1024 * 1024);

class Digester {
  readonly list = new FileList();
  files = 0;
  bytes = 0;
  readonly tally = new Tally();
  private readonly hash = new Bun.CryptoHasher("sha256");
  private readonly root: number;
  private readonly request: DigestRequest;
  private readonly cache: StatCache;
  private readonly owners = new Owners();
  /** inode of a file with several names → the first that was told, within one match: those are copied as one file */
  private readonly links = new Map<string, string>();

  constructor(root: number, request: DigestRequest, cache: StatCache) {
    this.root = root;
    this.request = request;
    this.cache = cache;
  }

  finish(): string {
    return `sha256:${this.hash.digest("hex")}`;
  }

  /** As `DigestResult` has it. */
  owner(): Owner | undefined {
    return this.owners.only;
  }

  top({ path, isDirectory, name, kept }: Match): void {
    const whole = this.request.parents;
    // a folder's contents are copied, not itself; a file's name matters where the destination is a folder
    const told = whole ? kept : isDirectory ? "" : name;
    this.hash.update(`${isDirectory ? "folder" : "file"} ${told}\0`, "latin1");
    const open = isDirectory ? flags.readOnly | flags.directory : flags.path;
    const fd = must(
      openWithinRaw(this.root, path === "" ? "." : path, open, within),
      () => `open ${toText(path)}`,
    );
    this.links.clear();
    try {
      // whose the root of a tree is nobody learns
      if (isDirectory && path !== "") this.owners.add(statFd(fd));
      if (isDirectory) this.folder(fd, path, whole && kept !== "" ? `${kept}/` : "", 0);
      else if (!this.request.exclude.excludes(toText(told))) this.opened(fd, path, told);
    } finally {
      close(fd);
    }
  }

  /** A file that was named itself, links followed. */
  private opened(fd: number, path: string, name: string): void {
    const status = statFd(fd);
    const type = status.mode & fileType.mask;
    const open = (): number => openRaw(cwdFd, `/proc/self/fd/${fd}`, flags.readOnly);
    const facts = type === fileType.file ? this.factsOf(open, path, status) : noFacts;
    this.tell(name, status, facts);
  }

  private folder(fd: number, path: string, told: string, depth: number): boolean {
    if (depth > depthMax)
      throw new EngineError("invalid", `${toText(path)} is nested over ${depthMax} folders deep`);
    let any = false;
    for (const name of listNames(fd)) {
      countFile();
      throwIfStopped(this.request.stop);
      const status = statAt(fd, name);
      if (status === undefined) continue;
      const whole = path === "" ? name : `${path}/${name}`;
      any = this.entry(fd, name, whole, `${told}${name}`, status, depth) || any;
    }
    return any;
  }

  private entry(
    dir: number,
    name: string,
    path: string,
    told: string,
    status: FileStatus,
    depth: number,
  ): boolean {
    const type = status.mode & fileType.mask;
    if (type === fileType.socket) return false;
    const text = toText(path);
    const { ignore, exclude } = this.request;
    const ignored = ignore.excludes(text);
    const excluded = exclude.excludes(toText(told));
    const out = ignored || excluded;
    if (type !== fileType.directory) {
      if (out) return false;
      const open = (): number => openRaw(dir, name, flags.readOnly | flags.noFollow | flags.nonBlock);
      const facts =
        type === fileType.file ? this.factsOf(open, path, status) : this.otherFacts(dir, name, status);
      this.tell(told, status, facts, this.firstName(told, status));
      return true;
    }
    if ((ignored && ignore.prunes(text)) || (excluded && exclude.prunes(toText(told)))) return false;
    if (!out) this.tell(told, status, this.otherFacts(dir, name, status));
    const fd = must(
      openRaw(dir, name, flags.readOnly | flags.directory | flags.noFollow),
      () => `open ${text}`,
    );
    try {
      const any = this.folder(fd, path, `${told}/`, depth + 1);
      // it is there for what it holds
      if (out && any) this.tell(told, status, this.otherFacts(dir, name, status));
      return any || !out;
    } finally {
      close(fd);
    }
  }

  /** Of a file whose other name was told already: that name, behind a sign that no name holds. */
  private firstName(told: string, { links, onMajor, onMinor, inode }: FileStatus): string {
    if (links < 2) return "";
    const id = `${onMajor}:${onMinor}:${inode}`;
    const first = this.links.get(id);
    if (first === undefined) this.links.set(id, told);
    return first === undefined ? "" : `${first}\0`;
  }

  private tell(path: string, status: FileStatus, { digest, xattrs }: FileFacts, link = ""): void {
    const { mode, size, uid, gid } = status;
    this.owners.add(status);
    const type = mode & fileType.mask;
    const told = type === fileType.file ? size : 0;
    if (type === fileType.file) {
      this.files++;
      this.bytes += size;
    }
    const owner = this.request.owners ? ` ${uid}:${gid}` : "";
    const line = `${mode.toString(8)} ${told} ${digest}${owner}${xattrs}\0${path}\0${link}`;
    this.hash.update(line, "latin1");
    this.tally.add(path, status, type === fileType.file && this.tally.isRecent(status) ? digest : "");
    this.list.add(
      `${path}\n${mode.toString(8)}${digest.slice(0, 24)}${owner}${xattrs === "" ? "" : Bun.hash(xattrs)}${link === "" ? "" : ` ${Bun.hash(link)}`}`,
    );
  }

  private factsOf(open: () => number, path: string, status: FileStatus): FileFacts {
    const known = this.cache.get(path, status);
    if (known !== undefined) return { digest: known, xattrs: "" };
    const fd = must(open(), () => `open ${toText(path)}`);
    try {
      const digest = hashFile(fd, status.size);
      this.cache.put(path, status, digest);
      const keys = this.request.attributes ? listXattrsFd(fd) : [];
      return { digest, xattrs: xattrsOf(keys, (key) => getXattrFd(fd, key)) };
    } finally {
      close(fd);
    }
  }

  /** Of what is no regular file: where a link leads, which device it is. */
  private otherFacts(dir: number, name: string, status: FileStatus): FileFacts {
    const type = status.mode & fileType.mask;
    const keys = this.request.attributes ? listXattrs(dir, name) : [];
    const xattrs = xattrsOf(keys, (key) => getXattr(dir, name, key));
    if (type === fileType.directory) return xattrs === "" ? noFacts : { digest: "", xattrs };
    const digest =
      type === fileType.symlink ? readLink(dir, name) : `${status.deviceMajor}:${status.deviceMinor}`;
    return { digest, xattrs };
  }
}

/** What cannot be told by stat(2). */
interface FileFacts {
  /** hex */
  digest: string;
  /** " name=value …", as bytes */
  xattrs: string;
}

/** Whose files are. */
class Owners {
  private first: Owner | undefined;
  private several = false;

  add({ uid, gid }: Owner): void {
    if (this.first === undefined) this.first = { uid, gid };
    else if (this.first.uid !== uid || this.first.gid !== gid) this.several = true;
  }

  /** Root, where there is nothing that would be anybody else's. */
  get only(): Owner | undefined {
    return this.several ? undefined : (this.first ?? { uid: 0, gid: 0 });
  }
}

const noFacts: FileFacts = { digest: "", xattrs: "" };

/** To the end of the file, whatever `size` said; that spares a small one a second look. */
export function hashFile(fd: number, size: number): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (let at = 0; ; ) {
    const count = must(readAtRaw(fd, buffer, at), () => "read a file of the context");
    if (count === 0) break;
    hash.update(count === buffer.length ? buffer : buffer.subarray(0, count));
    at += count;
    if (at === size && count < buffer.length) break;
  }
  return hash.digest("hex");
}

/** Attributes that a copy takes along. */
export const isCopied = (key: string): boolean => key === "security.capability" || key.startsWith("user.");

function xattrsOf(keys: readonly string[], read: (key: string) => Buffer | undefined): string {
  if (keys.length === 0) return "";
  const copied = keys.filter(isCopied).sort();
  return copied.map((key) => ` ${key}=${read(key)?.toString("latin1") ?? ""}`).join("");
}
