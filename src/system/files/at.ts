import { getSystemErrorName } from "node:util";
import { EngineError } from "../../lib/errors.ts";
import { bindLibc, errno, SystemError } from "../libc.ts";

/**
 * File calls relative to a directory's descriptor, for code that must not be led out of a folder by a symlink.
 *
 * Names are *byte strings*: one character (0–255) per byte, so that a name which is not UTF-8 survives. Each function
 * ending in `Raw` returns the result or `-errno`; the others throw `SystemError`. All of them block: use them in a
 * Worker, or on the main thread for single calls only.
 */
const libc = bindLibc({
  openat: { args: ["i32", "ptr", "i32", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
  mknodat: { args: ["i32", "ptr", "u32", "u64"], returns: "i32" },
  symlinkat: { args: ["ptr", "i32", "ptr"], returns: "i32" },
  linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  renameat: { args: ["i32", "ptr", "i32", "ptr"], returns: "i32" },
  readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
  fchmod: { args: ["i32", "u32"], returns: "i32" },
  fchmodat: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
  fchownat: { args: ["i32", "ptr", "u32", "u32", "i32"], returns: "i32" },
  utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  futimens: { args: ["i32", "ptr"], returns: "i32" },
  ftruncate: { args: ["i32", "i64"], returns: "i32" },
  pwrite: { args: ["i32", "ptr", "u64", "i64"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i32" },
  pread: { args: ["i32", "ptr", "u64", "i64"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
  copy_file_range: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: "i64" },
  getdents64: { args: ["i32", "ptr", "u64"], returns: "i32" },
  statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
});
const { syscall: openat2 } = bindLibc({
  syscall: { args: ["i64", "i32", "ptr", "ptr", "u64"], returns: "i32" },
});

export const flags = {
  readOnly: 0,
  writeOnly: 1,
  readWrite: 2,
  create: 0o100,
  exclusive: 0o200,
  nonBlock: 0o4000,
  closeOnExec: 0o2000000,
  path: 0o10000000,
  // these two differ between architectures
  directory: process.arch === "arm64" ? 0o40000 : 0o200000,
  noFollow: process.arch === "arm64" ? 0o100000 : 0o400000,
} as const;

export const resolve = { noMagicLinks: 0x02, noSymlinks: 0x04, beneath: 0x08, inRoot: 0x10 } as const;

/** File type bits of a mode. */
export const fileType = {
  mask: 0o170000,
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

export const cwdFd = -100;
const noFollowFlag = 0x100;
const removeDirFlag = 0x200;
const emptyPathFlag = 0x1000;
const openat2Number = 437n;
/** Longest path in bytes, without its NUL (PATH_MAX - 1). */
export const pathLengthMax = 4095;

export const ENOENT = -2;
export const EEXIST = -17;
export const ENOTDIR = -20;
export const EISDIR = -21;
export const ELOOP = -40;

const first = Buffer.alloc(pathLengthMax + 1);
const second = Buffer.alloc(pathLengthMax + 1);
const empty = Buffer.alloc(1);

function put(into: Buffer, name: string): Buffer {
  if (name.length > pathLengthMax)
    throw new EngineError(
      "invalid",
      `a name is ${name.length} bytes long, over the limit of ${pathLengthMax}`,
    );
  into[into.write(name, 0, "latin1")] = 0;
  return into;
}

const answer = (result: number): number => (result < 0 ? -errno() : result);

/** A byte string as text for messages. */
export const toText = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");
/** Text (a path from JavaScript) as the byte string of its UTF-8. */
export const toBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** The result, or a SystemError for a `-errno`. `what` is only built when it failed. */
export function must(result: number, what: () => string): number {
  if (result >= 0) return result;
  throw new SystemError(what(), getSystemErrorName(result));
}

export const openRaw = (dir: number, name: string, flag: number, mode = 0): number =>
  answer(libc.openat(dir, put(first, name), flag | flags.closeOnExec, mode));

const how = Buffer.alloc(24);
/** openat2(2): `how` limits what the path may go through. */
export function openWithinRaw(dir: number, name: string, flag: number, resolution: number): number {
  how.writeBigUInt64LE(BigInt(flag | flags.closeOnExec), 0);
  how.writeBigUInt64LE(BigInt(resolution), 16);
  return answer(openat2(openat2Number, dir, put(first, name), how, 24n));
}

export const close = (fd: number): void => void libc.close(fd);
export const mkdirRaw = (dir: number, name: string, mode: number): number =>
  answer(libc.mkdirat(dir, put(first, name), mode));
/** `mode` with its file type; the device number as `makeDevice` gives it. */
export const mknodRaw = (dir: number, name: string, mode: number, device = 0): number =>
  answer(libc.mknodat(dir, put(first, name), mode, device));
export const symlinkRaw = (target: string, dir: number, name: string): number =>
  answer(libc.symlinkat(put(first, target), dir, put(second, name)));
/** A hard link to the name itself: a symlink is linked, not followed. */
export const linkRaw = (fromDir: number, from: string, toDir: number, to: string): number =>
  answer(libc.linkat(fromDir, put(first, from), toDir, put(second, to), 0));
export const unlinkRaw = (dir: number, name: string): number =>
  answer(libc.unlinkat(dir, put(first, name), 0));
export const rmdirRaw = (dir: number, name: string): number =>
  answer(libc.unlinkat(dir, put(first, name), removeDirFlag));
export const renameRaw = (fromDir: number, from: string, toDir: number, to: string): number =>
  answer(libc.renameat(fromDir, put(first, from), toDir, put(second, to)));

export const fchmodRaw = (fd: number, mode: number): number => answer(libc.fchmod(fd, mode));
export const chmodRaw = (dir: number, name: string, mode: number): number =>
  answer(libc.fchmodat(dir, put(first, name), mode, 0));
/** Owner of the name itself, never of what a symlink points to. */
export const chownRaw = (dir: number, name: string, uid: number, gid: number): number =>
  answer(libc.fchownat(dir, put(first, name), uid, gid, noFollowFlag));
export const fchownRaw = (fd: number, uid: number, gid: number): number =>
  answer(libc.fchownat(fd, empty, uid, gid, emptyPathFlag));
export const truncateRaw = (fd: number, size: number): number => answer(libc.ftruncate(fd, BigInt(size)));

/** A time as seconds since the epoch (may be negative) and nanoseconds (0–999,999,999). */
export interface FileTime {
  s: number;
  ns: number;
}

const times = Buffer.alloc(32);
function putTime({ s, ns }: FileTime): Buffer {
  const low = s >>> 0;
  const high = Math.floor(s / 2 ** 32);
  for (const at of [0, 16]) {
    times.writeUInt32LE(low, at);
    times.writeInt32LE(high, at + 4);
    times.writeUInt32LE(ns, at + 8);
  }
  return times;
}
/** Sets access and modification time of the name itself. */
export const setTimeRaw = (dir: number, name: string, time: FileTime): number =>
  answer(libc.utimensat(dir, put(first, name), putTime(time), noFollowFlag));
export const fsetTimeRaw = (fd: number, time: FileTime): number => answer(libc.futimens(fd, putTime(time)));

export function writeAll(fd: number, bytes: Uint8Array, what: () => string): void {
  for (let at = 0; at < bytes.length; ) {
    const part = at === 0 ? bytes : bytes.subarray(at);
    at += must(answer(libc.write(fd, part, part.length)), what);
  }
}
export function writeAllAt(fd: number, bytes: Uint8Array, position: number, what: () => string): void {
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.subarray(at);
    at += must(answer(libc.pwrite(fd, part, part.length, BigInt(position + at))), what);
  }
}
/** Bytes read into the buffer; 0 at the end. */
export const readAtRaw = (fd: number, into: Uint8Array, position: number): number =>
  answer(libc.pread(fd, into, into.length, BigInt(position)));

const seekData = 3;
const seekHole = 4;
/** The next part of a file at or after `position` that is not a hole; undefined where only a hole is left. */
export function nextData(
  fd: number,
  position: number,
  size: number,
): { start: number; end: number } | undefined {
  const start = Number(libc.lseek(fd, BigInt(position), seekData));
  if (start < 0 || start >= size) return undefined;
  const end = Number(libc.lseek(fd, BigInt(start), seekHole));
  return { start, end: end < 0 ? size : Math.min(end, size) };
}

const fromAt = Buffer.alloc(8);
const toAt = Buffer.alloc(8);
/** Copies up to `length` bytes inside the kernel, to the same position; returns how many, 0 at the end of the file. */
export function copyRangeRaw(from: number, to: number, position: number, length: number): number {
  fromAt.writeBigInt64LE(BigInt(position));
  toAt.writeBigInt64LE(BigInt(position));
  return answer(Number(libc.copy_file_range(from, fromAt, to, toAt, length, 0)));
}

const link = Buffer.alloc(pathLengthMax + 1);
export function readLink(dir: number, name: string): string {
  const length = must(
    answer(libc.readlinkat(dir, put(first, name), link, link.length)),
    () => `readlink ${toText(name)}`,
  );
  return link.toString("latin1", 0, length);
}

export interface FileStatus {
  /** with the file type */
  mode: number;
  links: number;
  uid: number;
  gid: number;
  inode: bigint;
  size: number;
  /** blocks of 512 bytes */
  blocks: number;
  mtime: FileTime;
  /** of the last change to the file or its details */
  ctime: FileTime;
  deviceMajor: number;
  deviceMinor: number;
  /** of the file system */
  onMajor: number;
  onMinor: number;
}

const status = Buffer.alloc(256);
function readStatus(): FileStatus {
  return {
    mode: status.readUInt16LE(28),
    links: status.readUInt32LE(16),
    uid: status.readUInt32LE(20),
    gid: status.readUInt32LE(24),
    inode: status.readBigUInt64LE(32),
    size: Number(status.readBigUInt64LE(40)),
    blocks: Number(status.readBigUInt64LE(48)),
    ctime: { s: status.readInt32LE(100) * 2 ** 32 + status.readUInt32LE(96), ns: status.readUInt32LE(104) },
    mtime: { s: status.readInt32LE(116) * 2 ** 32 + status.readUInt32LE(112), ns: status.readUInt32LE(120) },
    deviceMajor: status.readUInt32LE(128),
    deviceMinor: status.readUInt32LE(132),
    onMajor: status.readUInt32LE(136),
    onMinor: status.readUInt32LE(140),
  };
}
const basicStats = 0x7ff;

/** What the name itself is (symlinks not followed); undefined where it does not exist. */
export function statAt(dir: number, name: string): FileStatus | undefined {
  const result = answer(libc.statx(dir, put(first, name), noFollowFlag, basicStats, status));
  if (result === ENOENT || result === ENOTDIR) return undefined;
  must(result, () => `stat ${toText(name)}`);
  return readStatus();
}
export function statFd(fd: number): FileStatus {
  must(answer(libc.statx(fd, empty, emptyPathFlag, basicStats, status)), () => `stat descriptor ${fd}`);
  return readStatus();
}

/** A device number as mknod(2) takes it (glibc's makedev). */
export const makeDevice = (major: number, minor: number): number =>
  (minor & 0xff) + (major & 0xfff) * 0x100 + ((minor >>> 8) & 0xffffff) * 0x100000 + (major >>> 12) * 2 ** 44;

const entries = Buffer.alloc(64 * 1024);
/** The names in an open directory, without `.` and `..`, sorted by bytes. */
export function listNames(fd: number): string[] {
  const names: string[] = [];
  for (;;) {
    const length = must(answer(libc.getdents64(fd, entries, entries.length)), () => "read directory");
    if (length === 0) break;
    for (let at = 0; at < length; at += entries.readUInt16LE(at + 16)) {
      const end = entries.indexOf(0, at + 19);
      const name = entries.toString("latin1", at + 19, end);
      if (name !== "." && name !== "..") names.push(name);
    }
  }
  return names.sort();
}
