import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { toText } from "../../system/at.ts";

export interface ListsRequest {
  lists: string;
  /** digests of the files of this build and of the earlier one */
  now: string;
  before: string;
  /** the source as COPY names it: where it is a folder, names in lists are below it; "" = they are whole */
  below: string;
  max: number;
}

/** The names that differ between two lists of files, as `file <name>` with "is new", "is gone" or "differs"; bounded. */
export function differingFiles({ lists, now, before, below, max }: ListsRequest): {
  names: string[];
  more: number;
} {
  const one = load(lists, before);
  const other = load(lists, now);
  if (one === undefined || other === undefined) return { names: [], more: 0 };
  const names: string[] = [];
  let more = 0;
  const add = (text: string): void => {
    if (names.length < max) names.push(text);
    else more++;
  };
  const shown = (path: string): string => `the file ${place(below, toText(path))}`;
  for (const [path, value] of other) {
    const earlier = one.get(path);
    if (earlier === undefined) add(`${shown(path)} is new`);
    else if (earlier !== value) add(`${shown(path)} differs`);
  }
  for (const path of one.keys()) if (!other.has(path)) add(`${shown(path)} is gone`);
  return { names, more };
}

/** A list names a source that is a file by its last part alone. */
const place = (below: string, path: string): string =>
  posix.basename(below) === path ? posix.join(below) : posix.join(below, path);

function load(folder: string, digest: string): Map<string, string> | undefined {
  try {
    const packed = readFileSync(join(folder, digest.slice("sha256:".length)));
    const text = Buffer.from(Bun.zstdDecompressSync(packed)).toString("latin1");
    return new Map(
      text.split("\0").map((line) => {
        const at = line.lastIndexOf("\n");
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
