import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parseIgnoreFile } from "../../../lib/ignore/ignore-file.ts";
import type { LocalFolder } from "../../../types/local-build.ts";
import { solveError } from "../failure.ts";
import { NotReadable, readTextFile } from "./text-file.ts";

const ignoreFileMax = 4 << 20;

/** A folder to be read in place, named so that the engine can tell that it sees the same one. */
export async function localFolder(path: string, ignore: readonly string[]): Promise<LocalFolder> {
  const full = resolve(path);
  const { dev, ino } = await stat(full);
  return { path: full, device: dev, inode: ino, ignore: [...ignore] };
}

/** The ignore file that applies: the Dockerfile's own, else the context's. */
export async function readIgnoreFile(
  context: string,
  dockerfile: string | undefined,
): Promise<{ name: string; text: string } | undefined> {
  const own = dockerfile === undefined ? undefined : await ignoreText(`${dockerfile}.dockerignore`);
  if (own !== undefined) return { name: `${dockerfile}.dockerignore`, text: own };
  const shared = await ignoreText(join(context, ".dockerignore"));
  return shared === undefined ? undefined : { name: ".dockerignore", text: shared };
}

export const patternsOf = (file: { text: string } | undefined): string[] =>
  file === undefined ? [] : parseIgnoreFile(file.text).map(({ pattern }) => pattern);

/** A folder of that name is no ignore file, as in BuildKit. */
async function ignoreText(path: string): Promise<string | undefined> {
  if (await isFolder(path)) return undefined;
  return await readTextFile(path, ignoreFileMax).catch((error: unknown) => {
    if (error instanceof NotReadable)
      throw solveError(`failed to read ${basename(path)}: ${error.message.replace(path, basename(path))}`);
    throw error;
  });
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
