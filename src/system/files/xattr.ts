import { bindLibc, errno } from "../libc.ts";
import { ENOENT, must, toText } from "./at.ts";

/**
 * Extended attributes. Names are text, values bytes. A file is named by an open descriptor, or, where it cannot be
 * opened (symlinks, devices), by `<directory descriptor, name>`, which goes through /proc/self/fd and never follows
 * the last component. Blocking calls.
 */
const libc = bindLibc({
  fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" },
  fgetxattr: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
  flistxattr: { args: ["i32", "ptr", "u64"], returns: "i32" },
  llistxattr: { args: ["ptr", "ptr", "u64"], returns: "i32" },
  lremovexattr: { args: ["ptr", "ptr"], returns: "i32" },
});

export const EPERM = -1;
const ENODATA = -61;
export const ENOTSUP = -95;

const answer = (result: number): number => (result < 0 ? -errno() : result);
const bytes = (name: string): Buffer => Buffer.from(`${name}\0`, "latin1");
const pathOf = (dir: number, name: string): Buffer => bytes(`/proc/self/fd/${dir}/${name}`);
const nonEmpty = (value: Uint8Array): Uint8Array => (value.length === 0 ? new Uint8Array(1) : value);

export const setXattrRaw = (fd: number, key: string, value: Uint8Array): number =>
  answer(libc.fsetxattr(fd, bytes(key), nonEmpty(value), value.length, 0));
export const setXattrAtRaw = (dir: number, name: string, key: string, value: Uint8Array): number =>
  answer(libc.lsetxattr(pathOf(dir, name), bytes(key), nonEmpty(value), value.length, 0));
export const removeXattrAtRaw = (dir: number, name: string, key: string): number =>
  answer(libc.lremovexattr(pathOf(dir, name), bytes(key)));

/** The kernel's limits: 64 KB a value and a list of names. */
const scratch = Buffer.alloc(64 * 1024);

export function getXattr(dir: number, name: string, key: string): Buffer | undefined {
  const length = answer(libc.lgetxattr(pathOf(dir, name), bytes(key), scratch, scratch.length));
  if (length === ENODATA || length === ENOTSUP || length === ENOENT) return undefined;
  must(length, () => `read attribute ${key} of ${toText(name)}`);
  return Buffer.from(scratch.subarray(0, length));
}

export function listXattrs(dir: number, name: string): string[] {
  const length = answer(libc.llistxattr(pathOf(dir, name), scratch, scratch.length));
  if (length === ENOTSUP || length === ENOENT || length === 0) return [];
  must(length, () => `list attributes of ${toText(name)}`);
  return scratch.toString("latin1", 0, length - 1).split("\0");
}

const none: readonly string[] = [];

/** The names of an open file's attributes. */
export function listXattrsFd(fd: number): readonly string[] {
  const length = answer(libc.flistxattr(fd, scratch, scratch.length));
  if (length === ENOTSUP || length === 0) return none;
  must(length, () => "list attributes");
  return scratch.toString("latin1", 0, length - 1).split("\0");
}

/** The same of an open file. */
export function getXattrFd(fd: number, key: string): Buffer | undefined {
  const length = answer(libc.fgetxattr(fd, bytes(key), scratch, scratch.length));
  if (length === ENODATA || length === ENOTSUP) return undefined;
  must(length, () => `read attribute ${key}`);
  return Buffer.from(scratch.subarray(0, length));
}
