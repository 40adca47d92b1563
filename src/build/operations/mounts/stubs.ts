import { statSync } from "node:fs";
import type { Owner } from "../../../lib/users/id-map.ts";
import type { MountInput } from "../../../runtime/spec/input.ts";
import {
  chownRaw,
  close,
  EEXIST,
  ENOENT,
  fileType,
  flags,
  mkdirRaw,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  rmdirRaw,
  statAt,
  toBytes,
  toText,
  unlinkRaw,
} from "../../../system/files/at.ts";
import { openTree } from "../../copy/match.ts";

const within = resolve.inRoot | resolve.noMagicLinks;
const folderFlags = flags.readOnly | flags.directory;

/** Mount points that were made in a root, to be taken away again so that they come into no layer. */
interface Stubs {
  /** what something was written into meanwhile stays */
  remove(): void;
}

interface Made {
  parent: string;
  name: string;
  isFolder: boolean;
}

/** Every step has file systems of its own there: a mount point below is made in them, by the runtime. */
const covered = /^\/+(dev|proc|sys)(\/|$)/;

/** Makes the mount points that are missing in a root, as `owner`'s (the engine's where absent), without ever leaving it. Few short calls on memory. */
export function makeStubs(root: string, mounts: readonly MountInput[], owner?: Owner): Stubs {
  const made: Made[] = [];
  const rootFd = openTree(root);
  try {
    for (const { destination, type, source } of mounts) {
      if (covered.test(destination)) continue;
      makeStub(rootFd, toBytes(destination), type !== "bind" || statSync(source).isDirectory(), {
        made,
        owner,
      });
    }
  } finally {
    close(rootFd);
  }
  return { remove: () => removeStubs(root, made) };
}

function makeStub(
  root: number,
  path: string,
  isFolder: boolean,
  { made, owner }: { made: Made[]; owner: Owner | undefined },
): void {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (let count = 1; count <= parts.length; count++) {
    const parent = parts.slice(0, count - 1).join("/");
    const name = parts[count - 1] ?? "";
    const there = openWithinRaw(root, parts.slice(0, count).join("/"), flags.path, within);
    if (there >= 0) {
      close(there);
      continue;
    }
    if (there !== ENOENT) return; // whatever is wrong with it, the runtime tells when it mounts
    const asFolder = isFolder || count < parts.length;
    inFolder(root, parent, (dir) => makeName(dir, name, asFolder, owner));
    made.push({ parent, name, isFolder: asFolder });
  }
}

function makeName(dir: number, name: string, isFolder: boolean, owner: Owner | undefined): void {
  const result = isFolder
    ? mkdirRaw(dir, name, 0o755)
    : openRaw(dir, name, flags.writeOnly | flags.create | flags.exclusive, 0o644);
  // a link that leads nowhere is there already
  if (result === EEXIST) return;
  must(result, () => `make mount point ${toText(name)}`);
  if (!isFolder) close(result);
  if (owner) must(chownRaw(dir, name, owner.uid, owner.gid), () => `chown mount point ${toText(name)}`);
}

function removeStubs(root: string, made: Made[]): void {
  const rootFd = openTree(root);
  try {
    for (const { parent, name, isFolder } of made.reverse())
      inFolder(rootFd, parent, (dir) => {
        if (isFolder) rmdirRaw(dir, name);
        else if (isEmptyFile(dir, name)) unlinkRaw(dir, name);
      });
  } finally {
    close(rootFd);
  }
}

function isEmptyFile(dir: number, name: string): boolean {
  const status = statAt(dir, name);
  return status !== undefined && (status.mode & fileType.mask) === fileType.file && status.size === 0;
}

function inFolder(root: number, path: string, work: (dir: number) => void): void {
  const dir = openWithinRaw(root, path === "" ? "." : path, folderFlags, within);
  if (dir < 0) return;
  try {
    work(dir);
  } finally {
    close(dir);
  }
}
