import {
  close,
  cwdFd,
  EISDIR,
  ENOENT,
  ENOTDIR,
  flags,
  listNames,
  must,
  openRaw,
  renameRaw,
  rmdirRaw,
  toBytes,
  toText,
  unlinkRaw,
} from "../../system/files/at.ts";

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const EPERM = -1;
/** Folders below this depth are moved up and deleted in turn, so that neither stack nor descriptors run out. */
const depthMax = 200;

/** Deletes a file or folder and all below it; what is missing is a success. Symlinks are never followed. */
export const removeTree = (path: string): void => removeEntry(cwdFd, toBytes(path));

/** The same for a name in an open directory. */
export function removeEntry(dir: number, name: string): void {
  const removal = { dir, name, moved: 0 };
  remove(removal, dir, name, 0);
  for (let number = 1; number <= removal.moved; number++) remove(removal, dir, movedName(removal, number), 0);
}

interface Removal {
  dir: number;
  name: string;
  moved: number;
}

const movedName = ({ name }: Removal, number: number): string => `${name}.deleting-${number}`;

function remove(removal: Removal, dir: number, name: string, depth: number): void {
  const removed = unlinkRaw(dir, name);
  if (removed >= 0 || removed === ENOENT || removed === ENOTDIR) return;
  const what = (): string => `delete ${toText(name)}`;
  if (removed !== EISDIR && removed !== EPERM) must(removed, what);
  if (depth >= depthMax) {
    must(renameRaw(dir, name, removal.dir, movedName(removal, ++removal.moved)), what);
    return;
  }
  const fd = openRaw(dir, name, folderFlags);
  if (fd === ENOENT) return;
  must(fd, what);
  try {
    for (const child of listNames(fd)) remove(removal, fd, child, depth + 1);
  } finally {
    close(fd);
  }
  must(rmdirRaw(dir, name), what);
}
