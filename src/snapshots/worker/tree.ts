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
  rmdirRaw,
  toBytes,
  toText,
  unlinkRaw,
} from "../../system/at.ts";

const folderFlags = flags.readOnly | flags.directory | flags.noFollow;
const EPERM = -1;
/** Deeper trees are pulled up a level at a time, so that neither the stack nor descriptors run out. */
const depthMax = 500;

/** Deletes a folder and all below it; what is missing is a success. Symlinks are never followed. */
export function removeTree(path: string): void {
  const bytes = toBytes(path);
  removeEntry(cwdFd, bytes, 0);
}

function removeEntry(dir: number, name: string, depth: number): void {
  const removed = unlinkRaw(dir, name);
  if (removed >= 0 || removed === ENOENT || removed === ENOTDIR) return;
  if (removed !== EISDIR && removed !== EPERM) must(removed, () => `delete ${toText(name)}`);
  const fd = openRaw(dir, name, folderFlags);
  if (fd === ENOENT) return;
  must(fd, () => `delete ${toText(name)}`);
  try {
    if (depth < depthMax) for (const child of listNames(fd)) removeEntry(fd, child, depth + 1);
  } finally {
    close(fd);
  }
  must(rmdirRaw(dir, name), () => `delete ${toText(name)}`);
}
