import { constants, type Stats } from "node:fs";
import {
  copyFile as copyOpenFile,
  type FileHandle,
  lchown,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  symlink,
  unlink,
} from "node:fs/promises";
import { eachOf } from "../../lib/each.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import {
  chmodRaw,
  close,
  cwdFd,
  ENOENT,
  ENOTDIR,
  fileType,
  flags,
  mknodRaw,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  toBytes,
} from "./at.ts";
import { LinkedFiles } from "./tree-copy-links.ts";
import { removeTree } from "./tree-remove.ts";
import { ENOTSUP, getXattr, listXattrs, setXattrAtRaw, setXattrRaw } from "./xattr.ts";

/**
 * Copies a folder of a container's root into an empty folder: contents (shared where the file system can), owners, modes,
 * times (to the microsecond), extended attributes, hard links, links as links. The source is resolved within the root; on the target's side every
 * folder is held open and every name is created anew, so that a container which already has the target mounted cannot
 * lead the copy elsewhere. All that may wait for the disk runs on the thread pool.
 */
interface TreeCopy {
  /** the mounted root */
  root: string;
  /** absolute path within it */
  source: string;
  target: string;
}

/** Folders inside folders; each takes two descriptors. */
const depthMax = 1000;
const atOnce = 8;
const bufferSize = 1024 * 1024;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = constants;

/** False where the source is no folder or the target has something in it: nothing was done then. */
export async function copyTree({ root, source, target }: TreeCopy): Promise<boolean> {
  const from = openWithin(root, source);
  if (from === undefined) return false;
  try {
    const to = await open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      if ((await readdir(below(to.fd).toString())).length > 0) return false;
      await fill(from, to);
      return true;
    } finally {
      await to.close();
    }
  } finally {
    close(from);
  }
}

/** Whether the container has a folder there. */
export function existsWithin(root: string, path: string): boolean {
  const fd = openWithin(root, path);
  if (fd !== undefined) close(fd);
  return fd !== undefined;
}

/** A descriptor of the folder; links on the way are followed as the container would. */
function openWithin(root: string, source: string): number | undefined {
  const rootFd = must(openRaw(cwdFd, toBytes(root), flags.path | flags.directory), () => `open ${root}`);
  try {
    const folder = flags.readOnly | flags.directory;
    const fd = openWithinRaw(rootFd, toBytes(source), folder, resolve.inRoot | resolve.noMagicLinks);
    return fd === ENOENT || fd === ENOTDIR ? undefined : must(fd, () => `open ${source} in the container`);
  } finally {
    close(rootFd);
  }
}

/** A path to a name in an open folder, whatever becomes of the names above it. */
function below(fd: number, name?: Buffer): Buffer {
  const folder = Buffer.from(`/proc/self/fd/${fd}`);
  return name === undefined ? folder : Buffer.concat([folder, Buffer.from("/"), name]);
}

/** Copies all or, when it fails, takes away what it copied: a volume that is half full would never be filled. */
async function fill(from: number, to: FileHandle): Promise<void> {
  const links = new LinkedFiles();
  const made: Buffer[] = [];
  try {
    await copyContents({ from, to: to.fd, depth: 0, links, made });
    await finish({ folder: from, name: "." }, to, await lstat(`/proc/self/fd/${from}/.`));
  } catch (error) {
    for (const name of made) await takeBack(to.fd, name);
    throw new EngineError("internal", `copy into the volume: ${messageOf(error)}`, { cause: error });
  } finally {
    await links.close();
  }
}

async function takeBack(to: number, name: Buffer): Promise<void> {
  const path = below(to, name);
  const status = await lstat(path).catch(() => undefined); // it was not made
  if (status?.isDirectory()) {
    // under a name of ours, as the removal takes text
    const own = `/proc/self/fd/${to}/.${newId().slice(0, 16)}`;
    await rename(path, own);
    await removeTree(own);
  } else if (status) await unlink(path);
}

interface Folder {
  from: number;
  to: number;
  depth: number;
  links: LinkedFiles;
  /** the names created at the top, for a failure */
  made?: Buffer[];
}

async function copyContents(folder: Folder): Promise<void> {
  if (folder.depth > depthMax) throw new EngineError("invalid", `folders are nested over ${depthMax} deep`);
  const names: Buffer[] = await readdir(below(folder.from), { encoding: "buffer" });
  const folders: [Buffer, Stats][] = [];
  const linked: [Buffer, Stats][] = [];
  await eachOf(names, atOnce, async (name) => {
    const status = await lstat(below(folder.from, name));
    folder.made?.push(name);
    if (status.isDirectory()) folders.push([name, status]);
    else if (status.nlink > 1) linked.push([name, status]);
    else await copyOne(folder, name, status);
  });
  // one after another: a folder takes descriptors for each level, and a link needs the file that was copied before
  for (const [name, status] of linked)
    if (!folder.links.link(status, folder.to, name)) await copyOne(folder, name, status);
  await folder.links.release();
  for (const [name, status] of folders) await copyFolder(folder, name, status);
}

async function copyOne(folder: Folder, name: Buffer, status: Stats): Promise<void> {
  if (status.isFile()) return copyFile(folder, name, status);
  if (status.isSymbolicLink()) return copyLink(folder, name, status);
  return copySpecial(folder, name, status);
}

async function copyFolder(folder: Folder, name: Buffer, status: Stats): Promise<void> {
  const from = await open(below(folder.from, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    await mkdir(below(folder.to, name), 0o700);
    const to = await open(below(folder.to, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      await copyContents({ from: from.fd, to: to.fd, depth: folder.depth + 1, links: folder.links });
      await finish({ folder: from.fd, name: "." }, to, status);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function copyFile(folder: Folder, name: Buffer, status: Stats): Promise<void> {
  const from = await open(below(folder.from, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const to = await open(below(folder.to, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    let kept = false;
    try {
      await copyBytes(from, to, status.size);
      await finish({ folder: folder.from, name: name.toString("latin1") }, to, status);
      kept = folder.links.keep(status, to);
    } finally {
      if (!kept) await to.close();
    }
  } finally {
    await from.close();
  }
}

async function copyBytes(from: FileHandle, to: FileHandle, size: number): Promise<void> {
  if (size === 0 || (await shareBlocks(from, to))) return;
  const buffer = Buffer.allocUnsafe(Math.min(size, bufferSize));
  for (;;) {
    const { bytesRead } = await from.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    for (let done = 0; done < bytesRead; )
      done += (await to.write(buffer, done, bytesRead - done, null)).bytesWritten;
    if (bytesRead < buffer.length && size <= buffer.length) return;
  }
}

/** A clone that takes no time and no room: xfs, btrfs and their like, within one file system. False elsewhere. */
async function shareBlocks(from: FileHandle, to: FileHandle): Promise<boolean> {
  try {
    const force = constants.COPYFILE_FICLONE_FORCE;
    await copyOpenFile(below(from.fd).toString(), below(to.fd).toString(), force);
    return true;
  } catch {
    return false; // then the bytes are copied, and what is really wrong shows there
  }
}

async function copyLink({ from, to }: Folder, name: Buffer, status: Stats): Promise<void> {
  const path = below(to, name);
  const bytes = name.toString("latin1");
  await symlink(await readlink(below(from, name), { encoding: "buffer" }), path);
  await lchown(path, status.uid, status.gid);
  copyXattrs({ folder: from, name: bytes }, (key, value) => setXattrAtRaw(to, bytes, key, value));
  await lutimes(path, status.atimeMs / 1000, status.mtimeMs / 1000);
}

/** Devices and pipes; a socket is nothing without its process. */
async function copySpecial({ from, to }: Folder, name: Buffer, status: Stats): Promise<void> {
  if (status.isSocket()) return;
  const path = below(to, name);
  const bytes = name.toString("latin1");
  must(mknodRaw(to, bytes, status.mode & (fileType.mask | 0o7777), status.rdev), () => `make device ${name}`);
  await lchown(path, status.uid, status.gid);
  must(chmodRaw(to, bytes, status.mode & 0o7777), () => `set mode of ${name}`);
  copyXattrs({ folder: from, name: bytes }, (key, value) => setXattrAtRaw(to, bytes, key, value));
  await lutimes(path, status.atimeMs / 1000, status.mtimeMs / 1000);
}

/** Owner first, as changing it clears setuid; times last, as everything else changes them. */
async function finish(source: Named, to: FileHandle, status: Stats): Promise<void> {
  if (status.uid !== 0 || status.gid !== 0) await to.chown(status.uid, status.gid);
  await to.chmod(status.mode & 0o7777);
  copyXattrs(source, (key, value) => setXattrRaw(to.fd, key, value));
  await to.utimes(status.atimeMs / 1000, status.mtimeMs / 1000);
}

/** A name (as a byte string) in an open folder. */
interface Named {
  folder: number;
  name: string;
}

/** Attributes of this kind belong to the layers, not to the file. */
const layerAttribute = /^(?:trusted|user)\.overlay\./;

/** They lie in the inode, so this does not wait for the disk. A file system that has none loses them, as in Docker. */
function copyXattrs({ folder, name }: Named, set: (key: string, value: Uint8Array) => number): void {
  for (const key of listXattrs(folder, name)) {
    const value = layerAttribute.test(key) ? undefined : getXattr(folder, name, key);
    if (!value) continue;
    const result = set(key, value);
    if (result !== ENOTSUP) must(result, () => `set attribute ${key} of ${name}`);
  }
}
