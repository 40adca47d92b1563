import { lutimesSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import {
  close,
  type FileStatus,
  fileType,
  flags,
  listNames,
  must,
  openRaw,
  setTimeRaw,
  statAt,
  toText,
} from "../../system/files/at.ts";
import { realBeneath } from "../../system/files/beneath.ts";
import { depthMax } from "./contents/digest.ts";
import { openTree, plainPath } from "./match.ts";
import { closePlace, Target } from "./target.ts";
import type { FolderRequest } from "./worker/requests.ts";

/** WORKDIR: a folder and what is missing above it. False where all of it was there. */
export function makeFolder({ upper, view, path, uid, gid, latest }: FolderRequest): boolean {
  const target = new Target(upper, view, latest === undefined ? undefined : { s: latest, ns: 0 });
  try {
    const plain = plainPath(view === undefined ? path : realBeneath(view, path));
    if (target.status(plain) !== undefined && isFolder(target.status(plain))) return false;
    refuseFiles(target, plain);
    closePlace(target.folder(plain, { uid, gid }));
    return true;
  } finally {
    target.close();
  }
}

/** A file on the way is told by what would be looked for in it. */
function refuseFiles(target: Target, plain: string): void {
  for (let at = plain.indexOf("/", 1); at > 0; at = plain.indexOf("/", at + 1)) {
    const status = target.status(plain.slice(0, at));
    if (status === undefined) return;
    const next = plain.indexOf("/", at + 1);
    if (!isFolder(status))
      throw new EngineError(
        "invalid",
        `lstat ${toText(next < 0 ? plain : plain.slice(0, next))}: not a directory`,
      );
  }
}

const isFolder = (status: FileStatus | undefined): boolean =>
  status !== undefined && (status.mode & fileType.mask) === fileType.directory;

/** Brings every time later than `latest` (seconds) down to it: what a step wrote does not tell when it ran. */
export function clampTimes(folder: string, latest: number): void {
  const root = openTree(folder);
  try {
    clampIn(root, latest);
  } finally {
    close(root);
  }
  lutimesSync(folder, latest, latest);
}

/** A descriptor a level: what is nested deeper than a copy may be is refused. */
function clampIn(dir: number, latest: number, depth = 0): void {
  if (depth > depthMax)
    throw new EngineError("invalid", `a folder of the step is nested over ${depthMax} folders deep`);
  for (const name of listNames(dir)) {
    const status = statAt(dir, name);
    if (status === undefined) continue;
    if (isFolder(status)) {
      const fd = openRaw(dir, name, flags.readOnly | flags.directory | flags.noFollow);
      must(fd, () => `open ${toText(name)}`);
      try {
        clampIn(fd, latest, depth + 1);
      } finally {
        close(fd);
      }
    }
    if (status.mtime.s >= latest)
      must(setTimeRaw(dir, name, { s: latest, ns: 0 }), () => `set the time of ${toText(name)}`);
  }
}

/** Bytes of the regular files in a folder; one with several names counts once for each. What is nested too deep does not count. */
export function sizeOf(folder: string): number {
  const root = openTree(folder);
  try {
    return sizeIn(root);
  } finally {
    close(root);
  }
}

function sizeIn(dir: number, depth = 0): number {
  let size = 0;
  if (depth > depthMax) return size;
  for (const name of listNames(dir)) {
    const status = statAt(dir, name);
    if (status === undefined) continue;
    if ((status.mode & fileType.mask) === fileType.file) size += status.size;
    if (!isFolder(status)) continue;
    const fd = openRaw(dir, name, flags.readOnly | flags.directory | flags.noFollow);
    if (fd < 0) continue;
    try {
      size += sizeIn(fd, depth + 1);
    } finally {
      close(fd);
    }
  }
  return size;
}
