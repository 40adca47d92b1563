import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FolderMatch, IgnoreMatcher } from "../../../lib/ignore/matcher.ts";

/** Something in a context: its path below the root, with `/`. */
interface ContextEntry {
  path: string;
  type: "file" | "directory" | "symlink" | "other";
  excluded: boolean;
  /** bytes of a file */
  size: number;
}

/**
 * Everything below a context's root in order. Folders that are kept out are told, and entered only where a pattern may
 * take something in them in again; with `all` always.
 */
export async function* walkContext(
  root: string,
  matcher: IgnoreMatcher,
  all: boolean,
): AsyncGenerator<ContextEntry> {
  yield* walkFolder({ root, matcher, all }, "", undefined);
}

interface Walk {
  root: string;
  matcher: IgnoreMatcher;
  all: boolean;
}

async function* walkFolder(
  walk: Walk,
  folder: string,
  above: FolderMatch | undefined,
): AsyncGenerator<ContextEntry> {
  const entries = await readdir(join(walk.root, folder), { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const { excluded, match } = walk.matcher.step(path, above);
    const type = typeOf(entry);
    const size = type === "file" && (!excluded || walk.all) ? (await lstat(join(walk.root, path))).size : 0;
    yield { path, type, excluded, size };
    if (type === "directory" && (!excluded || walk.all || walk.matcher.mayReinclude(path)))
      yield* walkFolder(walk, path, match);
  }
}

function typeOf(entry: Dirent): ContextEntry["type"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "other";
}
