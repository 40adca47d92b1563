import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { IgnoreMatcher } from "../../../lib/ignore/matcher.ts";
import { endOfArchive } from "../../../lib/tar/writer.ts";
import { packEntry } from "../../copy/pack.ts";
import { patternsOf } from "./folder.ts";
import type { BuildSources } from "./sources.ts";
import { tarFile } from "./tar-file.ts";
import { walkContext } from "./walk.ts";

const ignoreName = ".dockerignore";

/** The context as a tar: what the ignore file leaves of it, and the Dockerfile and ignore file even if it does not. */
export async function* contextTar({
  folder,
  dockerfile,
  path: found,
  ignoreFile,
}: BuildSources): AsyncGenerator<Uint8Array> {
  if (folder === undefined) yield* tarFile(dockerfile.name, dockerfile.text);
  else {
    const matcher = new IgnoreMatcher(patternsOf(ignoreFile));
    const seen = new Map<string, string>();
    const own = found !== undefined && resolve(found) === join(folder, dockerfile.name);
    yield* control(own ? folder : undefined, dockerfile, seen);
    for await (const { path, type, excluded } of walkContext(folder, matcher, false)) {
      const isTold = path === dockerfile.name || (ignoreFile !== undefined && path === ignoreName);
      if (excluded || isTold || type === "other") continue;
      yield* packEntry(join(folder, path), path, seen);
    }
    if (ignoreFile !== undefined) {
      const shared = ignoreFile.name === ignoreName ? folder : undefined;
      yield* control(shared, { name: ignoreName, text: ignoreFile.text }, seen);
    }
  }
  yield endOfArchive;
}

/** What the engine reads first: as a file of `folder` with its mode and time, or where it is none, as a text. */
async function* control(
  folder: string | undefined,
  { name, text }: { name: string; text: string },
  seen: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const path = join(folder ?? "", name);
  if (folder !== undefined && (await lstat(path)).isFile()) yield* packEntry(path, name, seen);
  else yield* tarFile(name, text);
}
