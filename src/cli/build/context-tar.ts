import { join } from "node:path";
import { IgnoreMatcher } from "../../lib/ignore/matcher.ts";
import { endOfArchive } from "../../lib/tar/writer.ts";
import { packEntry } from "../copy/pack.ts";
import { patternsOf } from "./folder.ts";
import type { BuildSources } from "./sources.ts";
import { tarFile } from "./tar-file.ts";
import { walkContext } from "./walk.ts";

/** The context as a tar: what the ignore file leaves of it, and the Dockerfile and ignore file even if it does not. */
export async function* contextTar({
  folder,
  dockerfile,
  ignoreFile,
}: BuildSources): AsyncGenerator<Uint8Array> {
  yield* tarFile(dockerfile.name, dockerfile.text);
  if (folder !== undefined) {
    const patterns = patternsOf(ignoreFile);
    const matcher = new IgnoreMatcher(patterns);
    const seen = new Map<string, string>();
    for await (const { path, type, excluded } of walkContext(folder, matcher, false)) {
      if (excluded || path === dockerfile.name || type === "other") continue;
      yield* packEntry(join(folder, path), path, seen);
    }
    if (ignoreFile !== undefined) yield* tarFile(".dockerignore", ignoreFile.text);
  }
  yield endOfArchive;
}
