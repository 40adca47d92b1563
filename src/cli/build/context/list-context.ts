import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { parseIgnoreFile } from "../../../lib/ignore/ignore-file.ts";
import { IgnoreMatcher } from "../../../lib/ignore/matcher.ts";
import { counted } from "../../../lib/text/counted.ts";
import { humanSize } from "../../../lib/text/units.ts";
import type { Session } from "../../session.ts";
import { buildError } from "../failure.ts";
import type { BuildFlags } from "../flags.ts";
import { readSources } from "./sources.ts";
import { walkContext } from "./walk.ts";

/** `--list-context`: what a build may read, file by file; with `--why`, which pattern decides about a path. */
export async function listContext(session: Session, context: string, flags: BuildFlags): Promise<number> {
  const sources = await readSources(context, flags.file);
  if (!("dockerfile" in sources) || sources.folder === undefined)
    throw buildError("--list-context needs a folder of this machine");
  const { folder, ignoreFile } = sources;
  const lines = ignoreFile === undefined ? [] : parseIgnoreFile(ignoreFile.text);
  const matcher = new IgnoreMatcher(lines.map(({ pattern }) => pattern));
  if (flags.why.length > 0) {
    for (const path of flags.why) session.out(await whyOf(folder, path));
    return 0;
  }
  await listFiles(session, folder, matcher);
  return 0;

  async function whyOf(root: string, path: string): Promise<string> {
    const clean = path.replace(/^\.?\/+/, "").replace(/\/+$/, "");
    const index = matcher.why(clean);
    const state = matcher.excludes(clean) ? "excluded" : "included";
    const line = index === undefined ? undefined : lines[index];
    const there = await lstat(join(root, clean)).catch(() => undefined); // whatever hides it, no build reads it either
    const missing = there === undefined ? " (it is not there)" : "";
    if (line === undefined) return `${clean}: included: no pattern matches${missing}`;
    return `${clean}: ${state} by ${ignoreFile?.name}:${line.line}: ${line.pattern}${missing}`;
  }
}

async function listFiles(session: Session, folder: string, matcher: IgnoreMatcher): Promise<void> {
  let files = 0;
  let bytes = 0;
  let excluded = 0;
  for await (const entry of walkContext(folder, matcher, false)) {
    if (entry.excluded) {
      excluded++;
      continue;
    }
    if (entry.type === "directory") continue;
    files++;
    bytes += entry.size;
    session.out(`${humanSize(entry.size).padStart(8)}  ${entry.path}`);
  }
  session.err(`${counted(files, "file")}, ${humanSize(bytes)}; files and folders excluded: ${excluded}`);
}
