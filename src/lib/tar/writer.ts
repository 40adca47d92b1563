import { blockSize, paddingOf, type TarEntry, type TarEntryType } from "./entry.ts";
import { fitsOctal, formatOctal, sumOf } from "./numbers.ts";
import { formatPax, xattrPrefix } from "./pax.ts";

/**
 * Writes tar archives, always the same bytes for the same entries: ustar headers, with a pax header before those that
 * need one (long or non-ASCII names, big numbers, fractions of a second, extended attributes in order of name).
 *
 * An archive is `headerOf(entry)`, the content, `padding(entry.size)`, and so on; then `endOfArchive`.
 */
const flags: Record<TarEntryType, string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

export const endOfArchive: Uint8Array = new Uint8Array(2 * blockSize);
const zeros = new Uint8Array(blockSize);
export const padding = (size: number): Uint8Array => zeros.subarray(0, paddingOf(size));

/** An entry with everything but `type` and `name` at its plainest. */
export function tarEntry(entry: Pick<TarEntry, "type" | "name"> & Partial<TarEntry>): TarEntry {
  return {
    linkName: "",
    mode: entry.type === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    userName: "",
    groupName: "",
    size: 0,
    mtime: { s: 0, ns: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...entry,
  };
}

/** The header block of an entry, with the pax header before it where one is needed. */
export function headerOf(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  const main = block(entry, flags[entry.type]);
  if (records.length === 0) return main;
  const body = formatPax(records);
  const slash = entry.name.replace(/\/+$/, "").lastIndexOf("/");
  const name = `PaxHeaders.0/${entry.name.slice(slash + 1)}`;
  const pax = block({ ...tarEntry({ type: "file", name }), size: body.length }, "x");
  return Buffer.concat([pax, body, padding(body.length), main]);
}

const isAscii = (text: string): boolean => !/[^\x01-\x7f]/.test(text);
const fits = (text: string, length: number): boolean =>
  text === "" || (text.length <= length && isAscii(text));

/** Where a name of over 100 bytes is cut into prefix and name; undefined where it cannot be. */
function splitName(name: string): { prefix: string; rest: string } | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= 100) return { prefix: "", rest: name };
  const cut = name.indexOf("/", name.length - 101);
  if (cut <= 0 || cut > 155 || cut === name.length - 1) return undefined;
  return { prefix: name.slice(0, cut), rest: name.slice(cut + 1) };
}

function paxRecords(entry: TarEntry): [string, string][] {
  const records: [string, string][] = [];
  const big = (key: string, value: number, length: number): void => {
    if (!fitsOctal(value, length)) records.push([key, String(value)]);
  };
  if (splitName(entry.name) === undefined) records.push(["path", entry.name]);
  if (!fits(entry.linkName, 100)) records.push(["linkpath", entry.linkName]);
  big("size", entry.size, 12);
  big("uid", entry.uid, 8);
  big("gid", entry.gid, 8);
  if (!fits(entry.userName, 32)) records.push(["uname", entry.userName]);
  if (!fits(entry.groupName, 32)) records.push(["gname", entry.groupName]);
  if (entry.mtime.ns !== 0 || !fitsOctal(entry.mtime.s, 12)) records.push(["mtime", formatTime(entry.mtime)]);
  if (entry.xattrs.size === 0) return records;
  for (const key of [...entry.xattrs.keys()].sort())
    records.push([xattrPrefix + key, entry.xattrs.get(key) ?? ""]);
  return records;
}

function formatTime({ s, ns }: { s: number; ns: number }): string {
  const negative = s < 0;
  const seconds = negative && ns > 0 ? -s - 1 : Math.abs(s);
  const rest = negative && ns > 0 ? 1_000_000_000 - ns : ns;
  const fraction = rest === 0 ? "" : `.${String(rest).padStart(9, "0").replace(/0+$/, "")}`;
  return `${negative ? "-" : ""}${seconds}${fraction}`;
}

function block(entry: TarEntry, flag: string): Buffer {
  const into = Buffer.alloc(blockSize);
  const put = (text: string, at: number, length: number): void => {
    if (text !== "") into.write(text.slice(0, length), at, "latin1");
  };
  const octal = (value: number, at: number, length: number): void =>
    formatOctal(fitsOctal(value, length) ? value : 0, into, at, length);
  const { prefix, rest } = splitName(entry.name) ?? { prefix: "", rest: entry.name.slice(0, 100) };
  put(rest, 0, 100);
  octal(entry.mode, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(entry.mtime.s, 136, 12);
  put(flag, 156, 1);
  put(entry.linkName, 157, 100);
  put("ustar\x0000", 257, 8);
  put(entry.userName, 265, 32);
  put(entry.groupName, 297, 32);
  octal(entry.deviceMajor, 329, 8);
  octal(entry.deviceMinor, 337, 8);
  put(prefix, 345, 155);
  formatOctal(sumOf(into), into, 148, 7);
  into[155] = 32;
  return into;
}
