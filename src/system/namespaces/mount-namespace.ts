import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { bindLibc, check, cString } from "../libc.ts";
import { enterMounts, Home, ownMounts, unshareMounts } from "./thread-mounts.ts";

/** Mount namespaces (mount_namespaces(7)) for programs to be started in, and the trees that are shown in them. */
const libc = bindLibc({
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  fchdir: { args: ["i32"], returns: "i32" },
  pivot_root: { args: ["ptr", "ptr"], returns: "i32" },
});
const { syscall: openTree } = bindLibc({ syscall: { args: ["i64", "i32", "ptr", "u32"], returns: "i32" } });
const { syscall: moveMount } = bindLibc({
  syscall: { args: ["i64", "i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
});

const MS_REC = 0x4000;
const MS_PRIVATE = 0x40000;
const MNT_DETACH = 2;
const numbers = { openTree: 428n, moveMount: 429n };
const cwd = -100;
const clone = { only: 0x80001, recursive: 0x88001, noAutomount: 0x800 };
const moveFromEmptyPath = 4;

/** A copy of what is at a path, with or without what is mounted below it, attached nowhere: gone when it is closed. */
export const cloneTree = (path: string, { recursive }: { recursive: boolean }): number =>
  check(
    openTree(
      numbers.openTree,
      cwd,
      cString(path),
      clone.noAutomount | (recursive ? clone.recursive : clone.only),
    ),
    `open tree ${path}`,
  );

/**
 * Mounts a clone at a path of the namespace in which the thread is, cut off from what it was cloned of: unmounting a clone
 * of shared mounts (mount_namespaces(7)) would unmount what is below the original, too.
 */
export function attachTree(tree: number, path: string): void {
  const moved = moveMount(numbers.moveMount, tree, cString(""), cwd, cString(path), moveFromEmptyPath);
  check(moved, `mount at ${path}`);
  const apart = libc.mount(null, cString(path), null, MS_REC | MS_PRIVATE, null);
  if (apart < 0) throw new EngineError("internal", `${path} cannot be made private: it stays mounted`);
}

/** Takes what is mounted at a path away, at once, however busy. */
export function detachTree(path: string): void {
  check(libc.umount2(cString(path), MNT_DETACH), `unmount ${path}`);
}

/**
 * A mount namespace beside the thread's own. The thread goes there and back within one synchronous call, and takes nobody
 * along (`thread-mounts.ts`). A program that is started there stays there.
 */
export class MountNamespace {
  private readonly home: Home;
  private readonly there: number;

  private constructor(home: Home, there: number) {
    this.home = home;
    this.there = there;
  }

  /**
   * One that has the root and these mount points of it alone, parents before what lies below them, cut off from what is
   * mounted or unmounted elsewhere. `scratch` is an empty folder.
   */
  static make(points: readonly string[], scratch: string): MountNamespace {
    const home = new Home();
    try {
      unshareMounts();
      try {
        check(libc.mount(null, cString("/"), null, MS_REC | MS_PRIVATE, null), "make mounts private");
        keepOnly(points, scratch);
        return new MountNamespace(home, ownMounts());
      } finally {
        home.goBack();
      }
    } catch (error) {
      home.close();
      throw error;
    }
  }

  /** Calls `inside` with the thread in the namespace: never across an `await`. */
  enter<T>(inside: () => T): T {
    enterMounts(this.there);
    try {
      return inside();
    } finally {
      this.home.goBack();
    }
  }

  /** It ends with the last program in it. */
  close(): void {
    closeSync(this.there);
    this.home.close();
  }
}

/** Builds the smaller tree on `scratch`, makes it the root, and lets the whole old one go in one call. */
function keepOnly(points: readonly string[], scratch: string): void {
  const root = openTreeAt("/");
  const trees = points.map((point) => ({ point, tree: openTreeAt(point) }));
  try {
    attachTree(root, scratch);
    for (const { point, tree } of trees) attachTree(tree, join(scratch, point));
    const folder = openSync(scratch, "r");
    try {
      check(libc.fchdir(folder), `enter ${scratch}`);
    } finally {
      closeSync(folder);
    }
    // pivot_root(2): the old root comes to lie on the new one, and is what is unmounted there
    check(libc.pivot_root(cString("."), cString(".")), "change root");
    check(libc.umount2(cString("."), MNT_DETACH), "let go of the old root");
  } finally {
    for (const { tree } of [{ tree: root }, ...trees]) closeSync(tree);
  }
}

const openTreeAt = (path: string): number => cloneTree(path, { recursive: false });
