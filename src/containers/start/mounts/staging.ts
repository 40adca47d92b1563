import { mkdirSync, readdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "../../../lib/ids.ts";
import type { IdMap } from "../../../lib/users/id-map.ts";
import { mountMapped } from "../../../system/mount/mapped-mount.ts";
import { bindMount, unmount } from "../../../system/mount/mount.ts";

/** Takes what is to be let go once the runtime has made the mounts. */
export type Keep = (release: () => void) => void;

const folderOf = (execRoot: string): string => join(execRoot, "staged");

/**
 * Mounts a source at a place of its own, for the short while until the runtime has mounted it from there: what a name
 * says is settled now, and nothing below it comes along where that is not wanted (crun before 1.9 takes all of it).
 */
export function stage(execRoot: string, source: string, options: { recursive: boolean }, keep: Keep): string {
  const place = makePlace(execRoot, source);
  try {
    bindMount(source, place, options);
  } catch (error) {
    drop(place);
    throw error;
  }
  keep(() => drop(place));
  return place;
}

/** The same with what is mounted below, owners shown as `map` says. */
export async function stageMapped(execRoot: string, source: string, map: IdMap, keep: Keep): Promise<string> {
  const place = makePlace(execRoot, source);
  try {
    await mountMapped(source, place, map);
  } catch (error) {
    drop(place);
    throw error;
  }
  keep(() => drop(place));
  return place;
}

function makePlace(execRoot: string, source: string): string {
  const place = join(folderOf(execRoot), newId().slice(0, 16));
  mkdirSync(folderOf(execRoot), { recursive: true, mode: 0o700 });
  if (statSync(source).isDirectory()) mkdirSync(place);
  else writeFileSync(place, "", { flag: "wx" });
  return place;
}

function drop(place: string): void {
  unmount(place);
  if (statSync(place).isDirectory()) rmdirSync(place);
  else unlinkSync(place);
}

/** What a crash left staged. */
export function sweepStaged(execRoot: string): void {
  const folder = folderOf(execRoot);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // nothing was ever staged
    throw error;
  }
  for (const name of names) drop(join(folder, name));
}
