import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { unmount } from "../system/mount/mount.ts";
import type { BuildContextDeps } from "./deps.ts";

/** At start: takes away what an engine that was killed left of its builds. Only what a row names stays. */
export async function sweep({ paths, cache, cacheMounts }: BuildContextDeps): Promise<void> {
  for (const target of await mountsBelow(paths.steps)) unmount(target);
  await rm(paths.steps, { recursive: true, force: true });
  await rm(paths.scratch, { recursive: true, force: true });
  await mkdir(paths.scratch, { recursive: true, mode: 0o700 });
  const folders = new Set(cacheMounts.all().map(({ folder }) => folder));
  for (const name of await namesIn(paths.mounts))
    if (!folders.has(name)) await rm(join(paths.mounts, name), { recursive: true, force: true });
  await sweepLists(paths.lists, cache.lists());
}

/** Lists of files that no result names any more. */
export async function sweepLists(folder: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await namesIn(folder))
    if (!kept.has(`sha256:${name}`)) await rm(join(folder, name), { force: true });
}

/** Innermost first. */
async function mountsBelow(folder: string): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return text
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${folder}/`))
    .reverse();
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
}
