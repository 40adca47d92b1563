import { posix } from "node:path";
import { toText } from "../../../system/files/at.ts";
import { readList } from "./file-list.ts";

export interface ListsRequest {
  lists: string;
  /** digests of the files of this build and of the earlier one */
  now: string;
  before: string;
  /** the source as COPY names it: where it is a folder, names in lists are below it; "" = they are whole */
  below: string;
  max: number;
}

const seen = "";

/** The names that differ between two lists of files, as `file <name>` with "is new", "is gone" or "differs"; bounded. */
export function differingFiles({ lists, now, before, below, max }: ListsRequest): {
  names: string[];
  more: number;
} {
  const earlier = readList(lists, before);
  const later = readList(lists, now);
  if (earlier === undefined || later === undefined) return { names: [], more: 0 };
  const known = new Map(earlier);
  const names: string[] = [];
  let more = 0;
  const add = (text: string): void => {
    if (names.length < max) names.push(text);
    else more++;
  };
  const shown = (path: string): string => `the file ${place(below, toText(path))}`;
  for (const [path, value] of later) {
    const was = known.get(path);
    // several folders may have given the same name
    if (was === seen) continue;
    if (was === undefined) add(`${shown(path)} is new`);
    else if (was !== value) add(`${shown(path)} differs`);
    known.set(path, seen);
  }
  for (const [path, value] of known) if (value !== seen) add(`${shown(path)} is gone`);
  return { names, more };
}

/** A list names a source that is a file by its last part alone. */
const place = (below: string, path: string): string =>
  posix.basename(below) === path ? posix.join(below) : posix.join(below, path);
