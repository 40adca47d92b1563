import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeNode } from "../../client/kernel.ts";
import { type TarEntry, utf8 } from "../../lib/tar/entry.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import { CliError } from "../errors.ts";
import { GlobFilter } from "./glob.ts";
import { type Plan, renamed } from "./paths.ts";

/**
 * Unpacks an archive that a container's files were packed in; nothing it says leads out of the plan's folder. With a
 * pattern only what it names; answers how many entries it named.
 */
export async function unpack(
  body: AsyncIterable<Uint8Array>,
  { folder, rename, replaces = false }: Plan,
  keepOwners: boolean,
  pattern?: string,
): Promise<number> {
  const unpacker = new Unpacker(realpathSync(folder), { rename, replaces }, keepOwners);
  const filter = pattern === undefined ? undefined : new GlobFilter(pattern, unpacker);
  const reader = new TarReader(filter ?? unpacker);
  for await (const chunk of body) reader.push(chunk);
  reader.finish();
  unpacker.finish();
  return filter?.matches ?? 0;
}

class Unpacker {
  private file: { fd: number; path: string; entry: TarEntry } | undefined;
  private readonly folders: { path: string; entry: TarEntry }[] = [];
  private readonly root: string;
  private readonly rename: Plan["rename"];
  private readonly replaces: boolean;
  private readonly keepOwners: boolean;

  constructor(
    root: string,
    { rename, replaces }: Required<Pick<Plan, "rename" | "replaces">>,
    keepOwners: boolean,
  ) {
    this.root = root;
    this.rename = rename;
    this.replaces = replaces;
    this.keepOwners = keepOwners;
  }

  entry(entry: TarEntry): void {
    const path = this.place(renamed(utf8(entry.name), this.rename));
    const old = this.standing(path, entry);
    if (entry.type === "directory") {
      if (old && !old.isDirectory())
        throw new CliError(`cannot overwrite non-directory ${JSON.stringify(path)} with directory`);
      if (!old) mkdirSync(path, { mode: 0o700 });
      this.folders.push({ path, entry });
      return;
    }
    if (old?.isDirectory())
      throw new CliError(`cannot overwrite directory ${JSON.stringify(path)} with non-directory`);
    if (old) rmSync(path);
    if (entry.type === "file") this.file = { fd: openSync(path, "wx", 0o600), path, entry };
    else if (entry.type === "symlink") this.symlink(path, entry);
    else if (entry.type === "hardlink")
      linkSync(this.place(renamed(utf8(entry.linkName), this.rename)), path);
    else {
      makeNode(path, entry.type, entry.deviceMajor, entry.deviceMinor);
      this.attributes(path, entry);
    }
  }

  /** What is there, unless it is of another kind than what comes and may be replaced by that. */
  private standing(path: string, { type }: TarEntry): Stats | undefined {
    const old = lstatSync(path, { throwIfNoEntry: false });
    // a hostile archive may name the root itself (`.`, `a/..`): that is the user's folder and never gives way
    if (!this.replaces || path === this.root || old === undefined) return old;
    if (old.isDirectory() === (type === "directory")) return old;
    rmSync(path, { recursive: true });
    return undefined;
  }

  data(bytes: Uint8Array): void {
    for (let at = 0; this.file && at < bytes.length; ) at += writeSync(this.file.fd, bytes, at);
  }

  end(): void {
    if (!this.file) return;
    closeSync(this.file.fd);
    this.attributes(this.file.path, this.file.entry);
    this.file = undefined;
  }

  /** Folders get their modes and times last: making files in them needs one and changes the other. */
  finish(): void {
    for (const { path, entry } of this.folders.reverse()) this.attributes(path, entry);
  }

  private symlink(path: string, entry: TarEntry): void {
    symlinkSync(utf8(entry.linkName), path);
    if (this.keepOwners) lchownSync(path, entry.uid, entry.gid);
  }

  private attributes(path: string, entry: TarEntry): void {
    if (this.keepOwners) lchownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
    const seconds = entry.mtime.s + entry.mtime.ns / 1e9;
    lutimesSync(path, seconds, seconds);
  }

  /** The entry's path below the root, through no link that leads out of it. */
  private place(name: string): string {
    const path = join(this.root, name.replace(/\/+$/, ""));
    if (path === this.root) return path;
    const parent = realpathSync(dirname(path));
    const inside = parent === this.root || parent.startsWith(this.root === "/" ? "/" : `${this.root}/`);
    if (!inside || name.split("/").includes(".."))
      throw new CliError(`invalid archive: ${JSON.stringify(name)} leads out of ${this.root}`);
    return join(parent, basename(path));
  }
}
