import {
  close,
  cwdFd,
  ELOOP,
  ENOENT,
  ENOTDIR,
  type FileStatus,
  fileType,
  flags,
  listNames,
  must,
  openRaw,
  statAt,
  toBytes,
  toText,
} from "../../system/files/at.ts";
import type { SnapshotChange, SnapshotUsage } from "../contract.ts";
import type { Writes } from "../drivers/driver.ts";
import { isWhiteout, type LayerForm } from "../drivers/form.ts";
import { isOpaqueAt, type LowerDirectory, lowerChild, lowerNames, lowerStat } from "./lower.ts";

/** A name that differs from what the lower layers show. `dir` is open only until the next change is asked for. */
type Change =
  | { kind: 0 | 1; path: string; name: string; dir: number; status: FileStatus }
  | { kind: 2; path: string };

interface Place {
  dir: number;
  path: string;
  lower: LowerDirectory;
  /** all of the directory is here: what lower layers have besides is deleted */
  complete: boolean;
}

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const typeOf = (status: FileStatus): number => status.mode & fileType.mask;

/**
 * What a snapshot's writes changed, in order of names, parents first. A directory is told when its own details differ
 * or anything below it changed. A container may be running meanwhile: what vanishes between two looks is left out.
 */
export function* changesOf(writes: Writes): Generator<Change> {
  const root = must(openRaw(cwdFd, toBytes(writes.folder), folderFlags), () => `open ${writes.folder}`);
  try {
    const lower = writes.lower.map(toBytes);
    yield* inside(writes.form, { dir: root, path: "", lower, complete: writes.kind === "copy" });
  } finally {
    close(root);
  }
}

function* inside(form: LayerForm, place: Place): Generator<Change> {
  const names = new Set(listNames(place.dir));
  const all = place.complete ? [...new Set([...names, ...lowerNames(form, place.lower)])].sort() : [...names];
  for (const name of all) {
    const path = `${place.path}/${name}`;
    const status = names.has(name) ? statAt(place.dir, name) : undefined;
    const below = place.lower.length === 0 ? undefined : lowerStat(form, place.lower, name);
    if (status === undefined || isWhiteout(status)) {
      if (below !== undefined && (names.has(name) || place.complete)) yield { kind: 2, path };
    } else if (typeOf(status) === fileType.directory) yield* folder(form, place, name, status, below);
    else if (below === undefined) yield { kind: 1, path, name, dir: place.dir, status };
    else if (differs(status, below)) yield { kind: 0, path, name, dir: place.dir, status };
  }
}

function* folder(
  form: LayerForm,
  place: Place,
  name: string,
  status: FileStatus,
  below: FileStatus | undefined,
): Generator<Change> {
  const path = `${place.path}/${name}`;
  const self: Change = { kind: below === undefined ? 1 : 0, path, name, dir: place.dir, status };
  let told = below === undefined || differs(status, below);
  if (told) yield self;
  const dir = openRaw(place.dir, name, folderFlags);
  if (dir === ENOENT || dir === ENOTDIR || dir === ELOOP) return;
  must(dir, () => `open ${toText(path)}`);
  try {
    const lower = below === undefined ? [] : lowerChild(form, place.lower, name);
    const complete = place.complete || (lower.length > 0 && isOpaqueAt(place.dir, name));
    for (const change of inside(form, { dir, path, lower, complete })) {
      if (!told) yield self;
      told = true;
      yield change;
    }
  } finally {
    close(dir);
  }
}

/** As Docker compares: a directory's time and size say nothing. */
function differs(a: FileStatus, b: FileStatus): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return true;
  if (a.deviceMajor !== b.deviceMajor || a.deviceMinor !== b.deviceMinor) return true;
  if (typeOf(a) === fileType.directory) return false;
  return a.size !== b.size || a.mtime.s !== b.mtime.s || a.mtime.ns !== b.mtime.ns;
}

export const listChanges = (writes: Writes): SnapshotChange[] =>
  Array.from(changesOf(writes), ({ kind, path }) => ({ kind, path: toText(path) }));

/** Size of what was written: each file once, however many names it has. */
export function usageOf(writes: Writes): SnapshotUsage {
  const usage = { size: 0, files: 0 };
  const seen = new Set<bigint>();
  for (const change of changesOf(writes)) {
    if (change.kind === 2 || typeOf(change.status) === fileType.directory) continue;
    if (change.status.links > 1) {
      if (seen.has(change.status.inode)) continue;
      seen.add(change.status.inode);
    }
    usage.size += change.status.size;
    usage.files++;
  }
  return usage;
}
