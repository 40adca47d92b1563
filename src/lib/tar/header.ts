import { badHeader, type Extent, type TarEntry, type TarEntryType } from "./entry.ts";
import { checksum, parseDecimal, parseNumber, parseTime } from "./numbers.ts";
import { refuseNul, xattrPrefix } from "./pax.ts";
import { parsePaxExtents } from "./sparse.ts";

/** What one 512-byte header block says, before extended headers are laid over it. */
export interface RawHeader {
  typeFlag: string;
  name: string;
  linkName: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  userName: string;
  groupName: string;
  deviceMajor: number;
  deviceMinor: number;
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString("latin1", at, end < 0 || end > at + length ? at + length : end);
}

/** Reads a header block. Throws `invalid` where the checksum or a field is wrong. */
export function parseHeader(block: Buffer): RawHeader {
  const sums = checksum(block);
  const expected = parseNumber(block, 148, 8);
  if (expected !== sums.unsigned && expected !== sums.signed) throw badHeader("the checksum does not match");
  const magic = block.toString("latin1", 257, 265);
  const posix = magic.startsWith("ustar\0");
  const known = posix || magic === "ustar  \0";
  const prefix = posix ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  const size = parseNumber(block, 124, 12);
  if (size < 0) throw badHeader("a size is negative");
  const flag = String.fromCharCode(block[156] ?? 0);
  return {
    typeFlag: flag === "\0" ? "0" : flag,
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    mode: parseNumber(block, 100, 8) & 0o7777,
    uid: parseNumber(block, 108, 8),
    gid: parseNumber(block, 116, 8),
    size,
    mtime: parseNumber(block, 136, 12),
    userName: known ? text(block, 265, 32) : "",
    groupName: known ? text(block, 297, 32) : "",
    deviceMajor: known ? parseNumber(block, 329, 8) : 0,
    deviceMinor: known ? parseNumber(block, 337, 8) : 0,
  };
}

const types: Record<string, TarEntryType> = {
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  S: "file",
};

const idMax = 2 ** 32 - 2;

/** What extended headers change, and the sparse map they may carry. */
export interface Overrides {
  records: Map<string, string>;
  /** offsets and lengths of sparse 0.0 records, which repeat their keys */
  sparseNumbers: string[];
  longName?: string;
  longLink?: string;
}

export interface ReadEntry {
  entry: TarEntry;
  /** bytes of content that follow in the archive */
  dataSize: number;
  /** sparse map known so far; "inData" = it precedes the data (pax 1.0) */
  sparse: Extent[] | "inData" | undefined;
}

export function toEntry(header: RawHeader, over: Overrides): ReadEntry {
  const records = over.records;
  const field = (key: string): string | undefined => {
    const value = records.get(key);
    return value === undefined ? undefined : refuseNul(key, value);
  };
  const number = (key: string, plain: number): number => {
    const value = field(key);
    return value === undefined ? plain : parseDecimal(value, key);
  };
  const name = field("path") ?? over.longName ?? header.name;
  const type = typeOf(header.typeFlag, name);
  const storedSize = number("size", header.size);
  const dataSize = type === "file" ? storedSize : 0;
  const sparse = type === "file" ? sparseOf(over) : undefined;
  const mtime = field("mtime");
  const entry: TarEntry = {
    type,
    name: field("GNU.sparse.name") ?? name,
    linkName:
      type === "hardlink" || type === "symlink"
        ? (field("linkpath") ?? over.longLink ?? header.linkName)
        : "",
    mode: header.mode,
    uid: number("uid", header.uid),
    gid: number("gid", header.gid),
    userName: field("uname") ?? header.userName,
    groupName: field("gname") ?? header.groupName,
    size:
      sparse === undefined ? dataSize : number("GNU.sparse.realsize", number("GNU.sparse.size", dataSize)),
    mtime: mtime === undefined ? { s: header.mtime, ns: 0 } : parseTime(mtime),
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: xattrsOf(records),
  };
  if (entry.name === "") throw badHeader("an entry has no name");
  if (!isId(entry.uid) || !isId(entry.gid))
    throw badHeader(`owner ${entry.uid}:${entry.gid} is out of range`);
  return { entry, dataSize, sparse };
}

const isId = (id: number): boolean => id >= 0 && id <= idMax;

function typeOf(flag: string, name: string): TarEntryType {
  // before POSIX, a directory was a file whose name ends in a slash
  if (flag === "0" && name.endsWith("/")) return "directory";
  const type = types[flag];
  if (type === undefined) throw badHeader(`unknown entry type ${JSON.stringify(flag)}`);
  return type;
}

function sparseOf({ records, sparseNumbers }: Overrides): Extent[] | "inData" | undefined {
  const major = records.get("GNU.sparse.major");
  if (major !== undefined) {
    if (major !== "1" || records.get("GNU.sparse.minor") !== "0") throw badHeader("unknown sparse format");
    return "inData";
  }
  const map = records.get("GNU.sparse.map");
  if (map !== undefined) return parsePaxExtents(map === "" ? [] : map.split(","));
  return records.has("GNU.sparse.size") ? parsePaxExtents(sparseNumbers) : undefined;
}

const noXattrs: ReadonlyMap<string, string> = new Map();
function xattrsOf(records: Map<string, string>): ReadonlyMap<string, string> {
  let found: Map<string, string> | undefined;
  for (const [key, value] of records)
    if (key.startsWith(xattrPrefix)) {
      found ??= new Map();
      found.set(refuseNul("a pax key", key).slice(xattrPrefix.length), value);
    }
  return found ?? noXattrs;
}
