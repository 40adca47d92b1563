import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toText } from "../../system/at.ts";

export interface ListsRequest {
  lists: string;
  /** digests of the files of this build and of the earlier one */
  now: string;
  before: string;
  max: number;
}

/** The names that differ between two lists of files, as `file <name>` with "is new", "is gone" or "differs"; bounded. */
export function differingFiles({ lists, now, before, max }: ListsRequest): { names: string[]; more: number } {
  const one = load(lists, before);
  const other = load(lists, now);
  if (one === undefined || other === undefined) return { names: [], more: 0 };
  const names: string[] = [];
  let more = 0;
  const add = (text: string): void => {
    if (names.length < max) names.push(text);
    else more++;
  };
  for (const [path, value] of other) {
    const earlier = one.get(path);
    if (earlier === undefined) add(`the file ${toText(path)} is new`);
    else if (earlier !== value) add(`the file ${toText(path)} differs`);
  }
  for (const path of one.keys()) if (!other.has(path)) add(`the file ${toText(path)} is gone`);
  return { names, more };
}

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
