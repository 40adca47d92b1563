import { constants, open, stat } from "node:fs/promises";

/** What is there is no text that can be read to its end. */
export class NotReadable extends Error {}

/**
 * The text of a regular file of at most `bytesMax`; undefined where there is none. Throws `NotReadable` for anything else:
 * a pipe would be waited for without end, and a device has no end.
 */
export async function readTextFile(path: string, bytesMax: number): Promise<string | undefined> {
  try {
    check(await stat(path), path); // looked at before it is opened: some devices act when they are
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      check(await file.stat(), path);
      return await start(file, path, bytesMax);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function check(stats: { isFile(): boolean; isDirectory(): boolean }, path: string): void {
  if (stats.isFile()) return;
  throw new NotReadable(
    stats.isDirectory() ? `read ${path}: is a directory` : `${path} is not a regular file`,
  );
}

/** A file of /proc or one that grows meanwhile has more than its size says. */
async function start(
  file: Awaited<ReturnType<typeof open>>,
  path: string,
  bytesMax: number,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const buffer = Buffer.alloc(Math.min(64 << 10, bytesMax + 1 - length));
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return Buffer.concat(pieces).toString("utf8");
    pieces.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
    if (length > bytesMax) throw new NotReadable(`${path} is larger than ${bytesMax} bytes`);
  }
}
