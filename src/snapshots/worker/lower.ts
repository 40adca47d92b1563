import {
  close,
  cwdFd,
  type FileStatus,
  fileType,
  flags,
  listNames,
  must,
  openRaw,
  statAt,
  toText,
} from "../../system/files/at.ts";
import { getXattr } from "../../system/files/xattr.ts";
import { isWhiteout, type LayerForm, opaqueMarker, opaqueXattr, whiteoutPrefix } from "../drivers/form.ts";

/**
 * One directory as the stacked lower layers show it: the folders that make it up, topmost first. Layers never change
 * once they are complete, so paths (byte strings) are safe here where an upper folder needs descriptors.
 */
export type LowerDirectory = readonly string[];

const isFolder = ({ mode }: FileStatus): boolean => (mode & fileType.mask) === fileType.directory;
const exists = (path: string): boolean => statAt(cwdFd, path) !== undefined;

/** What the lower layers have under `name`, if they show anything. */
export function lowerStat(form: LayerForm, directory: LowerDirectory, name: string): FileStatus | undefined {
  for (const folder of directory) {
    const status = statAt(cwdFd, `${folder}/${name}`);
    if (status !== undefined) return form === "overlay" && isWhiteout(status) ? undefined : status;
    if (form === "marker" && exists(`${folder}/${whiteoutPrefix}${name}`)) return undefined;
  }
  return undefined;
}

/** The directory `name` in `directory`; empty where the lower layers show none. */
export function lowerChild(form: LayerForm, directory: LowerDirectory, name: string): LowerDirectory {
  const folders: string[] = [];
  for (const folder of directory) {
    const path = `${folder}/${name}`;
    const status = statAt(cwdFd, path);
    const marked = form === "marker" && exists(`${folder}/${whiteoutPrefix}${name}`);
    if (status === undefined) {
      if (marked) break;
      continue;
    }
    if (!isFolder(status)) break;
    folders.push(path);
    if (marked || isOpaque(form, folder, name)) break;
  }
  return folders;
}

function isOpaque(form: LayerForm, folder: string, name: string): boolean {
  if (form === "marker") return exists(`${folder}/${name}/${opaqueMarker}`);
  const fd = must(openRaw(cwdFd, folder, flags.path | flags.directory), () => `open ${toText(folder)}`);
  try {
    return isOpaqueAt(fd, name);
  } finally {
    close(fd);
  }
}

export const isOpaqueAt = (dir: number, name: string): boolean =>
  getXattr(dir, name, opaqueXattr)?.toString() === "y";

/** The names the lower layers show in a directory. */
export function lowerNames(form: LayerForm, directory: LowerDirectory): Set<string> {
  const shown = new Set<string>();
  const hidden = new Set<string>();
  for (const folder of directory) {
    const fd = must(openRaw(cwdFd, folder, flags.readOnly | flags.directory), () => `open ${toText(folder)}`);
    const hides: string[] = [];
    try {
      for (const name of listNames(fd)) {
        if (form === "marker" && name.startsWith(whiteoutPrefix))
          hides.push(name.slice(whiteoutPrefix.length));
        else if (form === "overlay" && !hidden.has(name) && !shown.has(name) && isWhiteoutAt(fd, name))
          hides.push(name);
        else if (!hidden.has(name)) shown.add(name);
      }
    } finally {
      close(fd);
    }
    for (const name of hides) hidden.add(name);
  }
  return shown;
}

function isWhiteoutAt(dir: number, name: string): boolean {
  const status = statAt(dir, name);
  return status !== undefined && isWhiteout(status);
}
