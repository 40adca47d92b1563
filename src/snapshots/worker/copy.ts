import {
  chmodRaw,
  chownRaw,
  close,
  copyRangeRaw,
  cwdFd,
  EEXIST,
  type FileStatus,
  fileType,
  flags,
  linkRaw,
  listNames,
  makeDevice,
  mkdirRaw,
  mknodRaw,
  must,
  nextData,
  openRaw,
  readAtRaw,
  readLink,
  setTimeRaw,
  statAt,
  statFd,
  symlinkRaw,
  toBytes,
  toText,
  truncateRaw,
  writeAllAt,
} from "../../system/files/at.ts";
import { ENOTSUP, getXattr, listXattrs, setXattrAtRaw } from "../../system/files/xattr.ts";
import { opaqueMarker, whiteoutPrefix } from "../drivers/form.ts";
import { removeEntry } from "./tree.ts";

/** Layers (marker form, absolute paths, lowest first) laid over each other into one folder. */
export interface CopyRequest {
  layers: readonly string[];
  target: string;
}

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const EXDEV = -18;
const EINVAL = -22;
const EOPNOTSUPP = -95;

interface Copy {
  target: number;
  /** of this layer: inode of a file with several names → where its copy is, below the target */
  links: Map<bigint, string>;
}

export function copyStack({ layers, target }: CopyRequest): void {
  const to = openFolder(cwdFd, toBytes(target));
  try {
    for (const layer of layers) {
      const from = openFolder(cwdFd, toBytes(layer));
      try {
        copyFolder({ target: to, links: new Map() }, from, to, "");
      } finally {
        close(from);
      }
    }
  } finally {
    close(to);
  }
}

const openFolder = (dir: number, name: string): number =>
  must(openRaw(dir, name, folderFlags), () => `open ${toText(name)}`);

function copyFolder(copy: Copy, from: number, to: number, path: string): void {
  const names = listNames(from);
  if (names.includes(opaqueMarker)) for (const name of listNames(to)) removeEntry(to, name);
  for (const name of names)
    if (name.startsWith(whiteoutPrefix) && name !== opaqueMarker)
      removeEntry(to, name.slice(whiteoutPrefix.length));
  for (const name of names)
    if (!name.startsWith(whiteoutPrefix)) copyEntry(copy, from, to, name, `${path}${name}`);
}

function copyEntry(copy: Copy, from: number, to: number, name: string, path: string): void {
  const status = statAt(from, name);
  if (status === undefined) return;
  const type = status.mode & fileType.mask;
  if (type === fileType.directory) {
    subfolder(copy, from, to, name, path);
    details(from, to, name, status);
    return;
  }
  removeEntry(to, name);
  if (status.links > 1) {
    const first = copy.links.get(status.inode);
    if (first !== undefined) {
      must(linkRaw(copy.target, first, to, name), () => `link ${toText(path)}`);
      return;
    }
    copy.links.set(status.inode, path);
  }
  if (type === fileType.file) copyFile(from, to, name, path);
  else if (type === fileType.symlink)
    must(symlinkRaw(readLink(from, name), to, name), () => `copy ${toText(path)}`);
  else
    must(
      mknodRaw(to, name, status.mode, makeDevice(status.deviceMajor, status.deviceMinor)),
      () => `copy ${toText(path)}`,
    );
  details(from, to, name, status);
}

function subfolder(copy: Copy, from: number, to: number, name: string, path: string): void {
  const there = statAt(to, name);
  if (there !== undefined && (there.mode & fileType.mask) !== fileType.directory) removeEntry(to, name);
  const made = mkdirRaw(to, name, 0o700);
  if (made !== EEXIST) must(made, () => `copy ${toText(path)}`);
  const inner = openFolder(from, name);
  try {
    const target = openFolder(to, name);
    try {
      copyFolder(copy, inner, target, `${path}/`);
    } finally {
      close(target);
    }
  } finally {
    close(inner);
  }
}

function details(from: number, to: number, name: string, status: FileStatus): void {
  const what = (): string => `set details of ${toText(name)}`;
  must(chownRaw(to, name, status.uid, status.gid), what);
  if ((status.mode & fileType.mask) !== fileType.symlink)
    must(chmodRaw(to, name, status.mode & 0o7777), what);
  for (const key of listXattrs(from, name)) {
    const value = getXattr(from, name, key);
    const result = value === undefined ? 0 : setXattrAtRaw(to, name, key, value);
    if (result !== ENOTSUP) must(result, what);
  }
  must(setTimeRaw(to, name, status.mtime), what);
}

function copyFile(from: number, to: number, name: string, path: string): void {
  const what = (): string => `copy ${toText(path)}`;
  const source = must(openRaw(from, name, flags.readOnly | flags.noFollow | flags.nonBlock), what);
  try {
    const target = must(openRaw(to, name, flags.writeOnly | flags.create | flags.exclusive, 0o600), what);
    try {
      copyData(source, target, what);
    } finally {
      close(target);
    }
  } finally {
    close(source);
  }
}

/** Holes stay holes; the kernel copies (or shares) the rest where it can. */
function copyData(source: number, target: number, what: () => string): void {
  const { size } = statFd(source);
  must(truncateRaw(target, size), what);
  for (let part = nextData(source, 0, size); part !== undefined; part = nextData(source, part.end, size))
    for (let at = part.start; at < part.end; ) {
      const copied = copyRangeRaw(source, target, at, part.end - at);
      const byHand = copied === EXDEV || copied === EINVAL || copied === EOPNOTSUPP;
      const count = byHand ? copyByHand(source, target, at, part.end, what) : must(copied, what);
      if (count === 0) return;
      at += count;
    }
}

const buffer = Buffer.allocUnsafe(256 * 1024);
function copyByHand(source: number, target: number, at: number, end: number, what: () => string): number {
  const count = must(readAtRaw(source, buffer.subarray(0, Math.min(buffer.length, end - at)), at), what);
  writeAllAt(target, buffer.subarray(0, count), at, what);
  return count;
}
