import { lutimesSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import {
  close,
  cwdFd,
  ENOENT,
  type FileTime,
  fchmodRaw,
  fchownRaw,
  fileType,
  flags,
  fsetTimeRaw,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  setTimeRaw,
  statAt,
  statFd,
  toBytes,
  toText,
  unlinkRaw,
  writeAll,
} from "../../system/files/at.ts";
import { realBeneath } from "../../system/files/beneath.ts";
import { isArchive, unpacked } from "./archive.ts";
import { Tally } from "./contents/tally.ts";
import { everything, type Filter } from "./filter.ts";
import { filterOf } from "./ignore.ts";
import { type Match, matchesOf, openTree, plainPath } from "./match.ts";
import { folderMode, type ModeChange, parseMode } from "./mode.ts";
import { closePlace, type Place, Target } from "./target.ts";
import { ToldLayer } from "./told-layer.ts";
import type { CopyInput, CopyRequest, CopyResult } from "./worker/requests.ts";
import { type Telling, type WriteRules, Writer } from "./write.ts";

const within = resolve.inRoot | resolve.noMagicLinks;

const asTheyAre: ModeChange = (mode) => mode;

/** COPY and ADD: puts the inputs into the new layer's folder, in order. */
export async function copy(request: CopyRequest): Promise<CopyResult> {
  const time: FileTime | undefined = request.latest === undefined ? undefined : { s: request.latest, ns: 0 };
  const target = new Target(request.upper, request.view, time);
  const work = new Copy(request, target);
  try {
    let total = { files: 0, bytes: 0 };
    for (const input of request.inputs) {
      const { files, bytes } = await work.input(input);
      total = { files: total.files + files, bytes: total.bytes + bytes };
    }
    return { ...total, ...work.told() };
  } finally {
    work.close();
    target.close();
  }
}

/** What differs from a file of its own: the owner and mode that were asked for, and no attributes. */
interface WriterRules extends Partial<Pick<WriteRules, "attributes" | "mode" | "ignore" | "exclude">> {
  keepsOwners?: boolean;
}

class Copy {
  private readonly request: CopyRequest;
  private readonly target: Target;
  /** the destination as a byte string, without links, and whether it was asked for as a folder */
  private readonly destination: string;
  private readonly asFolder: boolean;
  private telling: Telling | undefined;

  constructor(request: CopyRequest, target: Target) {
    this.request = request;
    this.target = target;
    const { destination, view, follow } = request;
    this.asFolder = /\/\.{0,2}$/.test(destination);
    this.destination = plainPath(view !== undefined && follow ? realBeneath(view, destination) : destination);
  }

  async input(input: CopyInput): Promise<{ files: number; bytes: number }> {
    if (input.kind === "tree") return await this.tree(input);
    const writer = this.writer({});
    try {
      if (input.kind === "text") this.text(input.name, input.content);
      else await this.fetched(input, writer);
      return writer.written;
    } finally {
      writer.close();
    }
  }

  /** What was told of the layer meanwhile, if anything was. */
  told(): Pick<CopyResult, "told"> {
    if (this.telling === undefined) return {};
    const { layer, tally } = this.telling;
    const { latest, upper } = this.request;
    if (latest !== undefined) lutimesSync(upper, latest, latest);
    return { told: { layer: layer.finish(), sum: tally.seen.sum } };
  }

  close(): void {
    this.telling?.layer.close();
  }

  /** What `--chmod` says, or that a file's mode is `mode`. */
  private change(mode?: number): ModeChange | undefined {
    const { chmod } = this.request;
    if (chmod !== "") return parseMode(chmod);
    return mode === undefined ? undefined : () => mode;
  }

  private writer({ keepsOwners = false, ...rules }: WriterRules): Writer {
    const { uid, gid, latest, stop } = this.request;
    return new Writer(
      this.target,
      {
        owner: keepsOwners ? undefined : { uid, gid },
        attributes: false,
        mode: this.change(),
        latest,
        ignore: everything,
        exclude: everything,
        stop,
        ...rules,
      },
      this.telling,
    );
  }

  private async tree({ tree, unpack }: CopyInput & { kind: "tree" }) {
    const root = openTree(tree.root);
    const ignore = filterOf(tree.ignore);
    const exclude = filterOf(tree.exclude);
    const { parents } = tree;
    const total = { files: 0, bytes: 0 };
    let writer: Writer | undefined;
    try {
      const matches = tree.patterns.flatMap((pattern) => matchesOf(root, pattern, ignore));
      this.tellOnly(matches, { parents, unpack });
      const { owners = false, attributes = false } = tree;
      writer = this.writer({ ignore, exclude, keepsOwners: owners, attributes });
      for (const match of matches) {
        const added = await this.match(root, match, { writer, parents, unpack, exclude });
        total.files += added.files;
        total.bytes += added.bytes;
      }
      return { files: total.files + writer.written.files, bytes: total.bytes + writer.written.bytes };
    } finally {
      writer?.close();
      close(root);
    }
  }

  /** What comes of one match alone is written in the order of the layer's tar. */
  private tellOnly(
    [match, ...others]: readonly Match[],
    { parents, unpack }: { parents: boolean; unpack: boolean },
  ): void {
    const { tell, inputs, upper, since, plainSize = false } = this.request;
    if (!tell || parents || match === undefined || others.length > 0 || inputs.length > 1) return;
    // it may be an archive
    if (unpack && !match.isDirectory) return;
    this.telling = { layer: new ToldLayer(upper, plainSize), tally: new Tally(since) };
  }

  private async match(
    root: number,
    match: Match,
    how: { writer: Writer; parents: boolean; unpack: boolean; exclude: Filter },
  ): Promise<{ files: number; bytes: number }> {
    const nothing = { files: 0, bytes: 0 };
    const flag = match.isDirectory ? flags.readOnly | flags.directory : flags.path;
    const fd = openWithinRaw(root, match.path === "" ? "." : match.path, flag, within);
    must(fd, () => `open ${toText(match.path)}`);
    try {
      if (match.isDirectory) {
        const told = how.parents && match.kept !== "" ? `${match.kept}/` : "";
        const to = how.parents ? `${this.destination}/${match.kept}` : this.destination;
        const there = this.target.status(to);
        if (there !== undefined && (there.mode & fileType.mask) !== fileType.directory)
          throw new EngineError("invalid", `cannot copy to non-directory: ${toText(to)}`);
        // a context's root has no time: clients do not send it
        const mtime = match.path === "" ? { s: Math.floor(Date.now() / 1000), ns: 0 } : statFd(fd).mtime;
        const time = how.parents ? undefined : how.writer.timeOf(mtime);
        this.inFolder(to, time, (place) => how.writer.folder(fd, match.path, told, place));
        return nothing;
      }
      const path = `/proc/self/fd/${fd}`;
      // opening a device can act, and a fifo waits for ever
      const isFile = (statFd(fd).mode & fileType.mask) === fileType.file;
      if (how.unpack && isFile && (await isArchive(path))) return await this.archive(path);
      const name = how.parents ? match.kept : match.name;
      if (!how.exclude.excludes(toText(name))) this.single(fd, name, how.writer, how.parents);
      return nothing;
    } finally {
      close(fd);
    }
  }

  /** A file that was named itself. */
  private single(fd: number, name: string, writer: Writer, parents: boolean): void {
    const to = parents || this.isFolder() ? `${this.destination}/${name}` : this.destination;
    const at = to.lastIndexOf("/");
    const status = statFd(fd);
    const file = { status, told: name };
    // a file that comes into a folder is a change of the folder
    const time = this.telling && writer.timeOf({ s: Math.floor(Date.now() / 1000), ns: 0 });
    this.inFolder(to.slice(0, at), time, (place) => {
      if ((status.mode & fileType.mask) !== fileType.file) {
        writer.file(cwdFd, `/proc/self/fd/${fd}`, file, place, to.slice(at + 1));
        return;
      }
      const source = must(
        openRaw(cwdFd, `/proc/self/fd/${fd}`, flags.readOnly),
        () => `open ${toText(name)}`,
      );
      try {
        writer.regular(source, file, place, to.slice(at + 1));
      } finally {
        close(source);
      }
    });
  }

  private isFolder(): boolean {
    if (this.asFolder) return true;
    const status = this.target.status(this.destination);
    return status !== undefined && (status.mode & fileType.mask) === fileType.directory;
  }

  /** Opens or makes the folder at a path. It has `time` at the end, undefined = whatever time comes of the work. */
  private inFolder(
    path: string,
    time: FileTime | undefined,
    work: (place: Place) => void,
    chmod = this.request.chmod,
  ): void {
    const { uid, gid } = this.request;
    const place = this.target.folder(path, { uid, gid }, folderMode(chmod));
    try {
      if (time !== undefined) this.tellWay(path, time);
      work(place);
      if (time !== undefined) must(fsetTimeRaw(place.upper, time), () => `set the time of ${toText(path)}`);
    } finally {
      closePlace(place);
    }
  }

  /** The folders on the way to a place. */
  private tellWay(path: string, time: FileTime): void {
    if (this.telling === undefined) return;
    const { layer } = this.telling;
    const { latest } = this.request;
    this.target.way(path, (above, name, { mtime }, isLast) => {
      const own = latest !== undefined && mtime.s >= latest ? latest : mtime.s;
      const told = isLast ? time : { s: own, ns: 0 };
      must(setTimeRaw(above.upper, name, told), () => `set the time of ${toText(name)}`);
      layer.folder(above, name, told);
    });
  }

  private async fetched(
    { path, name, mode, unpack }: CopyInput & { kind: "file" },
    plain: Writer,
  ): Promise<void> {
    if (unpack && (await isArchive(path))) {
      const { files, bytes } = await this.archive(path);
      plain.written.files += files;
      plain.written.bytes += bytes;
      return;
    }
    const writer = mode === undefined ? plain : this.writer({ mode: this.change(mode) });
    const fd = must(openRaw(cwdFd, toBytes(path), flags.path), () => `open ${path}`);
    try {
      this.single(fd, toBytes(name), writer, false);
    } finally {
      close(fd);
      if (writer !== plain) writer.close();
    }
  }

  /** An archive's files keep their owners and modes and go below the destination, which is a folder then. */
  private async archive(path: string): Promise<{ files: number; bytes: number }> {
    return await unpacked(path, this.request.scratch, (folder) => {
      const writer = this.writer({ keepsOwners: !this.request.chowns, attributes: true, mode: asTheyAre });
      const root = openTree(folder);
      try {
        // nor is the folder that they go into given the mode that was asked for
        this.inFolder(this.destination, undefined, (place) => writer.folder(root, "", "", place), "");
        return writer.written;
      } finally {
        close(root);
        writer.close();
      }
    });
  }

  /** A here document. */
  private text(name: string, content: string): void {
    const to = this.isFolder() ? `${this.destination}/${toBytes(name)}` : this.destination;
    const at = to.lastIndexOf("/");
    const { uid, gid, chmod, latest } = this.request;
    this.inFolder(to.slice(0, at), undefined, (place) => {
      const below = place.below < 0 ? undefined : statAt(place.below, to.slice(at + 1));
      if (below !== undefined && (below.mode & fileType.mask) === fileType.directory)
        throw new EngineError("invalid", `cannot replace to directory ${toText(to)} with file`);
      writeText(place, to.slice(at + 1), content, {
        uid,
        gid,
        mode: chmod === "" ? 0o644 : parseMode(chmod)(0o644, false),
        latest,
      });
    });
  }
}

function writeText(
  place: Place,
  name: string,
  content: string,
  { uid, gid, mode, latest }: { uid: number; gid: number; mode: number; latest: number | undefined },
): void {
  const what = (): string => `write ${toText(name)}`;
  unlinkQuietly(place.upper, name);
  const create = flags.writeOnly | flags.create | flags.exclusive | flags.noFollow;
  const fd = must(openRaw(place.upper, name, create, 0o600), what);
  try {
    writeAll(fd, Buffer.from(content), what);
    must(fchownRaw(fd, uid, gid), what);
    must(fchmodRaw(fd, mode), what);
    if (latest !== undefined) must(fsetTimeRaw(fd, { s: latest, ns: 0 }), what);
  } finally {
    close(fd);
  }
}

function unlinkQuietly(dir: number, name: string): void {
  const gone = unlinkRaw(dir, name);
  if (gone !== ENOENT) must(gone, () => `replace ${toText(name)}`);
}
