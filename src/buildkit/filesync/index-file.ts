import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Entry } from "./entry.ts";

/**
 * What a kept folder holds, beside it: only a folder whose last transfer ended well has one, and it is true only for the
 * boot it was written in (files are not synced one by one; after a loss of power they may be empty).
 */
const format = 1;

type Row = [string, number, number, number, number, string, string, number, number];

export function readIndex(file: string): Map<string, Entry> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const index = parse(text);
  if (index?.format !== format || index.boot !== bootId() || !index.rows) return undefined;
  const entries = new Map<string, Entry>();
  for (const [path, mode, uid, gid, size, modTime, link, deviceMajor, deviceMinor] of index.rows)
    entries.set(path, {
      path,
      mode,
      uid,
      gid,
      size,
      modTime: BigInt(modTime),
      link,
      deviceMajor,
      deviceMinor,
    });
  return entries;
}

export function writeIndex(file: string, entries: Iterable<Entry>): void {
  const rows: Row[] = [];
  for (const { path, mode, uid, gid, size, modTime, link, deviceMajor, deviceMinor } of entries)
    rows.push([path, mode, uid, gid, size, String(modTime), link, deviceMajor, deviceMinor]);
  writeFileSync(`${file}.new`, JSON.stringify({ format, boot: bootId(), rows }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export const dropIndex = (file: string): void => rmSync(file, { force: true });

function parse(text: string): { format?: number; boot?: string; rows?: Row[] } | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
