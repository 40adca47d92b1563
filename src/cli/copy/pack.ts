import type { BigIntStats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { byteString, type TarEntry, type TarEntryType } from "../../lib/tar/entry.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";

const chunkBytes = 256 << 10;

/** A tar archive of a file or folder of this machine, whose first entry is called `name`. */
export async function* packLocal(path: string, name: string): AsyncGenerator<Uint8Array> {
  yield* packOne(path, name, new Map());
  yield endOfArchive;
}

function kindOf(stats: BigIntStats): TarEntryType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  if (stats.isCharacterDevice()) return "char";
  return stats.isBlockDevice() ? "block" : undefined; // a socket has no place in an archive
}

async function* packOne(path: string, name: string, seen: Map<string, string>): AsyncGenerator<Uint8Array> {
  const stats = await lstat(path, { bigint: true });
  yield* packEntry(path, name, seen);
  if (kindOf(stats) !== "directory") return;
  for (const child of (await readdir(path)).sort())
    yield* packOne(
      join(path, child),
      name === "." ? `./${child}` : `${name.replace(/\/+$/, "")}/${child}`,
      seen,
    );
}

/** One entry without what a folder holds. `seen` are the names of files with several links, by device and inode. */
export async function* packEntry(
  path: string,
  name: string,
  seen: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const stats = await lstat(path, { bigint: true });
  const type = kindOf(stats);
  if (!type) return;
  const key = `${stats.dev}:${stats.ino}`;
  const first = type === "file" && stats.nlink > 1n ? seen.get(key) : undefined;
  const entry = tarEntry({
    type: first === undefined ? type : "hardlink",
    name: byteString(type === "directory" ? `${name.replace(/\/+$/, "")}/` : name),
    ...common(stats),
    linkName:
      first === undefined ? (type === "symlink" ? byteString(await readlink(path)) : "") : byteString(first),
    size: type === "file" && first === undefined ? Number(stats.size) : 0,
  });
  yield headerOf(entry);
  if (entry.type === "file") {
    seen.set(key, name);
    yield* content(path, entry.size);
    yield padding(entry.size);
  }
}

function common(
  stats: BigIntStats,
): Pick<TarEntry, "mode" | "uid" | "gid" | "mtime" | "deviceMajor" | "deviceMinor"> {
  const device = Number(stats.rdev);
  return {
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { s: Number(stats.mtimeNs / 1_000_000_000n), ns: Number(stats.mtimeNs % 1_000_000_000n) },
    deviceMajor: (device >> 8) & 0xfff,
    deviceMinor: (device & 0xff) | ((device >> 12) & 0xfff00),
  };
}

/** Exactly `size` bytes, also of a file that changes meanwhile: it is cut, or filled with zeros. */
async function* content(path: string, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    for (let left = size; left > 0; ) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, left));
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      const chunk = bytesRead === 0 ? buffer.fill(0) : buffer.subarray(0, bytesRead);
      left -= chunk.length;
      yield chunk;
    }
  } finally {
    await file.close();
  }
}
