import { closeSync, constants, openSync, statSync } from "node:fs";
import type { Owner } from "../../lib/users/id-map.ts";
import { bindLibc, check, cString, SystemError } from "../libc.ts";
import { Home, ownMounts, unshareMounts } from "../namespaces/thread-mounts.ts";
import { close, cwdFd, flags, must, openRaw, openWithinRaw, resolve, toBytes } from "./at.ts";
import { makeFileBeneath, makeFolderBeneath } from "./beneath.ts";

const libc = bindLibc({
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  fchdir: { args: ["i32"], returns: "i32" },
});
const { syscall: pivotRoot } = bindLibc({ syscall: { args: ["i64", "ptr", "ptr"], returns: "i32" } });
const { syscall: mountSetattr } = bindLibc({
  syscall: { args: ["i64", "i32", "ptr", "u32", "ptr", "u64"], returns: "i32" },
});

const MS = { readOnly: 1, remount: 32, bind: 4096, recursive: 16384, private: 1 << 18 } as const;
const MNT_DETACH = 2;
const pivotRootNumber = process.arch === "arm64" ? 41n : 155n;
const mountSetattrNumber = 442n;
const emptyPath = 0x1000;
const wholeTree = 0x8000;
const attributeReadOnly = 1n;

/** A file or folder of the host, bound over a path of the view. */
export interface ViewMount {
  source: string;
  /** absolute, in the view */
  destination: string;
  readOnly: boolean;
  /** with what is mounted below the source */
  recursive: boolean;
}

/**
 * A root file system with mounts over it, as a container sees it, without a process in it: a mount namespace of its own,
 * held by two descriptors. `root` (a path descriptor) is where to open from, with `RESOLVE_IN_ROOT`; the kernel keeps
 * links, `..` and read-only mounts as they are inside. It needs nothing of the host's mounts any more once it exists.
 */
export interface RootView {
  readonly root: number;
  close(): void;
}

/**
 * Makes a view of the folder `root`; mount points that are missing are made in it, as `owner`'s. The calling thread is for a moment in
 * the view's namespace, so only a Worker may call this; it is back when the call returns.
 */
export function openRootView(
  root: string,
  mounts: readonly ViewMount[],
  readOnly: boolean,
  owner: Owner = { uid: 0, gid: 0 },
): RootView {
  const home = new Home();
  const opened: number[] = [];
  try {
    unshareMounts();
    try {
      opened.push(ownMounts());
      opened.push(build(root, mounts, readOnly, owner));
    } finally {
      home.goBack();
    }
  } catch (error) {
    for (const fd of opened) close(fd);
    throw error;
  } finally {
    home.close();
  }
  const [namespace = -1, view = -1] = opened;
  return {
    root: view,
    close: () => {
      close(view);
      close(namespace);
    },
  };
}

function build(root: string, mounts: readonly ViewMount[], readOnly: boolean, owner: Owner): number {
  check(libc.mount(null, cString("/"), null, MS.recursive | MS.private, null), "part from the host's mounts");
  check(libc.mount(cString(root), cString(root), null, MS.bind, null), `bind ${root}`);
  const view = openSync(root, flags.path | flags.directory);
  try {
    const ordered = [...mounts].sort((a, b) => depth(a.destination) - depth(b.destination));
    for (const mount of ordered) bind(root, view, mount, owner);
    if (readOnly) makeReadOnly(view, false, root);
    becomeRoot(view);
    return view;
  } catch (error) {
    closeSync(view);
    throw error;
  }
}

const depth = (path: string): number => path.split("/").filter((part) => part !== "").length;

/** The whole tree's old mounts go: else the view would hold what the host unmounts meanwhile. */
function becomeRoot(view: number): void {
  check(libc.fchdir(view), "enter the view");
  try {
    check(pivotRoot(pivotRootNumber, cString("."), cString(".")), "pivot_root");
  } catch (error) {
    // the host's root is the initial ramfs, which cannot be pivoted away: the view works without, it holds more
    if (error instanceof SystemError && error.code === "EINVAL") return;
    throw error;
  }
  check(libc.umount2(cString("."), MNT_DETACH), "let go of the host's mounts");
}

const within = resolve.inRoot | resolve.noMagicLinks;

function bind(
  root: string,
  view: number,
  { source, destination, readOnly, recursive }: ViewMount,
  owner: Owner,
): void {
  if (statSync(source).isDirectory()) makeFolderBeneath(root, destination, 0o755, owner);
  else makeFileBeneath(root, destination, 0o755, owner);
  const open = (): number =>
    must(openWithinRaw(view, toBytes(destination), flags.path, within), () => `open ${destination}`);
  const target = open();
  try {
    const how = MS.bind | (recursive ? MS.recursive : 0);
    const at = cString(`/proc/self/fd/${target}`);
    check(libc.mount(cString(source), at, null, how, null), `bind ${source} at ${destination}`);
  } finally {
    closeSync(target);
  }
  if (!readOnly) return;
  const mounted = open();
  try {
    makeReadOnly(mounted, recursive, destination);
  } finally {
    closeSync(mounted);
  }
}

function makeReadOnly(mounted: number, recursive: boolean, name: string): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(attributeReadOnly, 0);
  const flag = emptyPath | (recursive ? wholeTree : 0);
  try {
    check(mountSetattr(mountSetattrNumber, mounted, cString(""), flag, attributes, 32n), `protect ${name}`);
  } catch (error) {
    // before Linux 5.12 only the mount itself can be protected
    if (!(error instanceof SystemError) || error.code !== "ENOSYS") throw error;
    const at = cString(`/proc/self/fd/${mounted}`);
    check(libc.mount(null, at, null, MS.remount | MS.bind | MS.readOnly, null), `protect ${name}`);
  }
}

const EAGAIN = -11;
const attemptsMax = 256;

/**
 * Opens a path inside a view (or any root) as a process there would; `-errno` where it cannot. A tree that changes under
 * the kernel's feet makes it ask to try again.
 */
export function openInsideRaw(root: number, path: string, flag: number): number {
  for (let attempt = 1; ; attempt++) {
    const fd = openWithinRaw(root, path, flag, within);
    if (fd !== EAGAIN || attempt >= attemptsMax) return fd;
  }
}

/** A second, readable descriptor of the very file that a path descriptor names; it must be a regular file or folder. */
export const reopen = (fd: number): number =>
  must(
    openRaw(cwdFd, `/proc/self/fd/${fd}`, constants.O_RDONLY | flags.nonBlock),
    () => `open descriptor ${fd}`,
  );
