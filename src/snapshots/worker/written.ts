import { EngineError } from "../../lib/errors.ts";
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
  pathLengthMax,
  setTimeRaw,
  statAt,
  toBytes,
  toText,
  unlinkRaw,
} from "../../system/files/at.ts";
import { listXattrs, removeXattrAtRaw } from "../../system/files/xattr.ts";
import type { Writes } from "../drivers/driver.ts";
import { isWhiteout, type LayerForm, opaqueXattr, overlayXattrPrefix } from "../drivers/form.ts";
import { changesOf } from "./changes.ts";
import { isOpaqueAt, type LowerDirectory, lowerChild } from "./lower.ts";

/** What a layer made of a snapshot's writes says, in the order its tar says it. */
export type Written =
  | WrittenEntry
  /** this name of the layers below is gone */
  | { kind: "whiteout"; path: string }
  /** nothing that the layers below have in this directory shows */
  | { kind: "opaque"; path: string };

/** `dir` is open only until the next one is asked for. */
export interface WrittenEntry {
  kind: "entry";
  path: string;
  name: string;
  dir: number;
  status: FileStatus;
}

/**
 * Everything a snapshot's writes hold. An upper folder is told whole: a file that was written again with the same size
 * and time is a change too, which comparing would miss. `tidy` makes the folder what the tar will say, so that it can
 * be the layer itself: sockets, attributes no tar carries and fractions of seconds go.
 */
export function* writtenOf(writes: Writes, tidy = false): Generator<Written> {
  if (writes.kind === "copy") {
    for (const change of changesOf(writes))
      if (change.kind === 2) yield { kind: "whiteout", path: change.path };
      else yield { ...change, kind: "entry" };
    return;
  }
  const root = must(openRaw(cwdFd, toBytes(writes.folder), folderFlags), () => `open ${writes.folder}`);
  try {
    yield* inside({ form: writes.form, tidy }, { dir: root, path: "", lower: writes.lower.map(toBytes) });
  } finally {
    close(root);
  }
}

interface Walk {
  form: LayerForm;
  tidy: boolean;
}

interface Place {
  dir: number;
  path: string;
  lower: LowerDirectory;
}

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;

function* inside(walk: Walk, place: Place): Generator<Written> {
  for (const name of listNames(place.dir)) {
    const status = statAt(place.dir, name);
    if (status === undefined) continue; // a running container took it away
    const path = `${place.path}/${name}`;
    const type = status.mode & fileType.mask;
    if (isWhiteout(status)) yield { kind: "whiteout", path };
    else if (type === fileType.directory) yield* folder(walk, place, name, status);
    else if (type !== fileType.socket) {
      yield { kind: "entry", path, name, dir: place.dir, status };
      if (walk.tidy) tidyEntry(place.dir, name, status);
    } else if (walk.tidy) must(unlinkRaw(place.dir, name), () => `delete ${toText(path)}`);
  }
}

/** A longer path could be made, by folders, but not named: neither we nor anybody else could read such a layer. */
export function refuseLong(path: string): void {
  if (path.length <= pathLengthMax) return;
  throw new EngineError(
    "invalid",
    `${toText(path.slice(0, 100))}… is a path of over ${pathLengthMax} bytes, which no layer holds`,
  );
}

function* folder(walk: Walk, place: Place, name: string, status: FileStatus): Generator<Written> {
  const path = `${place.path}/${name}`;
  refuseLong(path);
  yield { kind: "entry", path, name, dir: place.dir, status };
  const dir = openRaw(place.dir, name, folderFlags);
  if (dir === ENOENT || dir === ENOTDIR || dir === ELOOP) return;
  must(dir, () => `open ${toText(path)}`);
  try {
    let lower = place.lower.length === 0 ? [] : lowerChild(walk.form, place.lower, name);
    if (isOpaqueAt(place.dir, name)) {
      // the kernel marks every new directory so: it says something only where there is something below
      if (lower.length > 0) yield { kind: "opaque", path };
      else if (walk.tidy)
        must(removeXattrAtRaw(place.dir, name, opaqueXattr), () => `mark ${toText(path)} plain`);
      lower = [];
    }
    yield* inside(walk, { dir, path, lower });
  } finally {
    close(dir);
  }
  if (walk.tidy) tidyEntry(place.dir, name, status);
}

/** Whether a layer's tar carries an attribute: capabilities and the user's own. Others belong to this host. */
export const isCarried = (key: string): boolean => key === "security.capability" || key.startsWith("user.");
const isLeft = (key: string): boolean => key.startsWith("security.") || key.startsWith(overlayXattrPrefix);

function tidyEntry(dir: number, name: string, { mtime }: FileStatus): void {
  for (const key of listXattrs(dir, name))
    if (!isCarried(key) && !isLeft(key))
      must(removeXattrAtRaw(dir, name, key), () => `drop attribute ${key} of ${toText(name)}`);
  must(setTimeRaw(dir, name, { s: mtime.s, ns: 0 }), () => `set the time of ${toText(name)}`);
}
