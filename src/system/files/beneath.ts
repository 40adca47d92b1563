import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import {
  EEXIST,
  ELOOP,
  ENOENT,
  ENOTDIR,
  fchownRaw,
  fileType,
  flags,
  mkdirRaw,
  must,
  openRaw,
  openWithinRaw,
  readLink,
  resolve,
  statFd,
  toBytes,
  toText,
} from "./at.ts";

/**
 * Files of a foreign root (a container's), opened as if it were `/`: links in it are followed, but never out of it
 * (openat2 with RESOLVE_IN_ROOT). Single short calls, for the main thread.
 */
const within = resolve.inRoot | resolve.noMagicLinks;

function inRoot<T>(root: string, work: (rootFd: number) => T): T {
  const fd = openSync(root, flags.directory | flags.path);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** The text of a regular file, at most `bytesMax` of it; undefined where there is none. */
export function readBeneath(root: string, path: string, bytesMax: number): string | undefined {
  return inRoot(root, (rootFd) => {
    const named = openWithinRaw(rootFd, toBytes(path), flags.path, within);
    if (named === ENOENT || named === ENOTDIR || named === ELOOP) return undefined;
    must(named, () => `open ${path} in the container`);
    try {
      // looked at before it is opened: a container may put a device there, and some act when they are opened
      return fstatSync(named).isFile() ? readStart(`/proc/self/fd/${named}`, bytesMax) : undefined;
    } finally {
      closeSync(named);
    }
  });
}

function readStart(path: string, bytesMax: number): string {
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(Math.min(bytesMax, fstatSync(fd).size));
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0)).toString("utf8");
  } finally {
    closeSync(fd);
  }
}

/** The permission bits of a folder; undefined where there is none. */
export function folderModeBeneath(root: string, path: string): number | undefined {
  return inRoot(root, (rootFd) => {
    const fd = openWithinRaw(rootFd, toBytes(path), flags.directory | flags.path, within);
    if (fd < 0) return undefined;
    try {
      return statFd(fd).mode & 0o7777;
    } finally {
      closeSync(fd);
    }
  });
}

const linksMax = 40;

/** Where a path leads in a root, links followed inside it; what is not there yet stays as it is written. */
export function realBeneath(root: string, path: string): string {
  return inRoot(root, (rootFd) => {
    const rest = namesIn(toBytes(path));
    let real: string[] = [];
    for (let links = 0, name = rest.shift(); name !== undefined; name = rest.shift()) {
      const target = name === ".." ? undefined : linkAt(rootFd, [...real, name].join("/"));
      if (name === "..") real.pop();
      else if (target === undefined) real.push(name);
      else if (++links > linksMax) throw new EngineError("invalid", `too many links on the way to ${path}`);
      else {
        if (target.startsWith("/")) real = [];
        rest.unshift(...namesIn(target));
      }
    }
    return toText(`/${real.join("/")}`);
  });
}

const namesIn = (path: string): string[] => path.split("/").filter((name) => name !== "" && name !== ".");

/** The target of the link at a path without links above it; undefined where there is none. */
function linkAt(rootFd: number, path: string): string | undefined {
  const fd = openWithinRaw(rootFd, path, flags.path | flags.noFollow, within);
  if (fd < 0) return undefined;
  try {
    return (statFd(fd).mode & fileType.mask) === fileType.symlink ? readLink(fd, "") : undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a folder and what is missing above it, each with `mode` and owned by `owner`; throws `invalid` "Cannot mkdir:
 * … is not a directory" where something else is in the way.
 */
export function makeFolderBeneath(
  root: string,
  path: string,
  mode: number,
  owner: { uid: number; gid: number },
): void {
  inRoot(root, (rootFd) => {
    const folder = flags.directory | flags.path;
    let so = "";
    for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
      const parent = so === "" ? "." : so;
      so = so === "" ? name : `${so}/${name}`;
      const found = openWithinRaw(rootFd, toBytes(so), folder, within);
      if (found >= 0) {
        closeSync(found);
        continue;
      }
      if (found !== ENOENT) throw new EngineError("invalid", `Cannot mkdir: ${path} is not a directory`);
      makeOne(rootFd, parent, name, so, mode, owner);
    }
  });
}

function makeOne(
  rootFd: number,
  parent: string,
  name: string,
  whole: string,
  mode: number,
  owner: { uid: number; gid: number },
): void {
  const up = must(
    openWithinRaw(rootFd, toBytes(parent), flags.directory | flags.readOnly, within),
    () => `open /${parent}`,
  );
  try {
    const made = mkdirRaw(up, toBytes(name), mode);
    if (made === EEXIST) throw new EngineError("invalid", `Cannot mkdir: /${whole} is not a directory`);
    must(made, () => `mkdir /${whole}`);
    const fd = must(
      openWithinRaw(up, toBytes(name), flags.directory | flags.readOnly | flags.noFollow, resolve.beneath),
      () => `open /${whole}`,
    );
    try {
      must(fchownRaw(fd, owner.uid, owner.gid), () => `chown /${whole}`);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(up);
  }
}

/** Makes an empty file where there is nothing, and the folders above it. */
export function makeFileBeneath(
  root: string,
  path: string,
  mode: number,
  owner: { uid: number; gid: number },
): void {
  const at = path.lastIndexOf("/");
  makeFolderBeneath(root, path.slice(0, at), mode, owner);
  inRoot(root, (rootFd) => {
    const found = openWithinRaw(rootFd, toBytes(path), flags.path, within);
    if (found >= 0) {
      closeSync(found);
      return;
    }
    const parent = path.slice(0, at).replace(/^\/+/, "") || ".";
    const up = must(
      openWithinRaw(rootFd, toBytes(parent), flags.directory | flags.readOnly, within),
      () => `open ${path} in the container`,
    );
    try {
      const fd = openRaw(
        up,
        toBytes(path.slice(at + 1)),
        flags.writeOnly | flags.create | flags.exclusive | flags.noFollow,
        mode,
      );
      // a symlink that leads nowhere: the runtime decides what to do with it
      if (fd === EEXIST) return;
      must(fd, () => `make ${path} in the container`);
      try {
        must(fchownRaw(fd, owner.uid, owner.gid), () => `chown ${path} in the container`);
      } finally {
        closeSync(fd);
      }
    } finally {
      closeSync(up);
    }
  });
}

const EXDEV = -18;

/**
 * Whatever is at a path below `root`, held by a descriptor: `path` names it for mount(2), in this process and others of
 * its mount namespace, until `close`. Unlike the calls above a link that leads out (an absolute one, too) is refused.
 */
export function holdBeneath(
  root: string,
  path: string,
): { path: string; close: () => void } | "missing" | "escapes" {
  return inRoot(root, (rootFd) => {
    const fd = openWithinRaw(rootFd, toBytes(path), flags.path, resolve.beneath | resolve.noMagicLinks);
    if (fd === ENOENT || fd === ENOTDIR) return "missing";
    if (fd === EXDEV || fd === ELOOP) return "escapes";
    must(fd, () => `open ${path} below ${root}`);
    return { path: `/proc/${process.pid}/fd/${fd}`, close: () => closeSync(fd) };
  });
}
