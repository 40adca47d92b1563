import { EngineError } from "../errors.ts";

/**
 * One entry of a tar archive. Names and attribute values are *byte strings*: one character (0–255) per byte, so that
 * what is not UTF-8 survives; `utf8` makes text of them, `byteString` the reverse.
 */
export type TarEntryType = "file" | "hardlink" | "symlink" | "char" | "block" | "directory" | "fifo";

/** Part of a sparse file that has data: `offset` in the file, `length` bytes. */
export interface Extent {
  offset: number;
  length: number;
}

export interface TarEntry {
  type: TarEntryType;
  /** as the archive has it: may be absolute, hold `..`, end in `/` */
  name: string;
  /** target of a hard link or symlink, else "" */
  linkName: string;
  /** permission bits and setuid, setgid, sticky: 0–0o7777 */
  mode: number;
  uid: number;
  gid: number;
  userName: string;
  groupName: string;
  /** bytes of the file, holes of a sparse one included; 0 for what has no content */
  size: number;
  /** modification time: seconds (may be negative) and nanoseconds */
  mtime: { s: number; ns: number };
  deviceMajor: number;
  deviceMinor: number;
  /** extended attributes by name */
  xattrs: ReadonlyMap<string, string>;
  /** where the archive's data belong, for a sparse file: ascending, not overlapping */
  sparse?: readonly Extent[];
}

export const blockSize = 512;
/** Bytes of one extended header or long name. */
export const extendedHeaderMax = 1024 * 1024;
/** Extents of one sparse file. */
export const extentsMax = 1_000_000;

/** Docker's sentences, which are Go's: clients see them. */
export const badHeader = (why: string): EngineError =>
  new EngineError("invalid", `archive/tar: invalid tar header: ${why}`);
export const truncated = (): EngineError => new EngineError("invalid", "unexpected EOF");

export const utf8 = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");
export const byteString = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
/** Bytes of padding after `size` bytes of content. */
export const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize;
