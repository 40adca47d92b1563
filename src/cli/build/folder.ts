import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseIgnoreFile } from "../../lib/ignore/ignore-file.ts";
import type { LocalFolder } from "../../types/local-build.ts";

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
  const own = dockerfile === undefined ? undefined : await textOf(`${dockerfile}.dockerignore`);
  if (own !== undefined) return { name: `${dockerfile}.dockerignore`, text: own };
  const shared = await textOf(join(context, ".dockerignore"));
  return shared === undefined ? undefined : { name: ".dockerignore", text: shared };
}

export const patternsOf = (file: { text: string } | undefined): string[] =>
  file === undefined ? [] : parseIgnoreFile(file.text).map(({ pattern }) => pattern);

/** Undefined where there is no such file. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
