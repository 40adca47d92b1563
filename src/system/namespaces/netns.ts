import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { bindLibc, check, cString, SystemError } from "../libc.ts";

const libc = bindLibc({
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
});

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 4096;
const MNT_DETACH = 2;
const own = "/proc/thread-self/ns/net";

/**
 * Network namespaces (network_namespaces(7)) held by a bind mount on a file. A thread that calls these functions
 * changes its own namespace for a moment: only the network Worker may, and never across an `await`.
 */
export class NamespaceThread {
  /** the namespace in which the thread began, to which it always returns */
  private readonly home: number;

  constructor() {
    this.home = openSync(own, "r");
  }

  /**
   * Makes a namespace held by `path`, or holds the one at `existing` there, and calls `inside` in it. Leaves nothing
   * behind when any step fails.
   */
  create<T>(path: string, inside: () => T, existing?: string): T {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    closeSync(openSync(path, "wx", 0o444));
    try {
      if (existing !== undefined) {
        check(libc.mount(cString(existing), cString(path), null, MS_BIND, null), `mount ${path}`);
        return this.enter(path, inside);
      }
      check(libc.unshare(CLONE_NEWNET), "make network namespace");
      return this.thenHome(() => {
        check(libc.mount(cString(own), cString(path), null, MS_BIND, null), `mount ${path}`);
        return inside();
      });
    } catch (error) {
      removeNamespace(path);
      throw error;
    }
  }

  /** Calls `inside` in the namespace that `path` holds. */
  enter<T>(path: string, inside: () => T): T {
    const fd = openSync(path, "r");
    try {
      check(libc.setns(fd, CLONE_NEWNET), `enter ${path}`);
      return this.thenHome(inside);
    } finally {
      closeSync(fd);
    }
  }

  /** Makes `path` hold the thread's own namespace (the host's). */
  holdOwn(path: string): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (!existsSync(path)) closeSync(openSync(path, "wx", 0o444));
    check(libc.mount(cString(own), cString(path), null, MS_BIND, null), `mount ${path}`);
  }

  close(): void {
    closeSync(this.home);
  }

  private thenHome<T>(inside: () => T): T {
    try {
      return inside();
    } finally {
      check(libc.setns(this.home, CLONE_NEWNET), "return to the host's network namespace");
    }
  }
}

/** Lets go of a namespace; the kernel ends it, and what is in it, once no process is left there. Nothing there is fine. */
export function removeNamespace(path: string): void {
  if (!existsSync(path)) return;
  try {
    check(libc.umount2(cString(path), MNT_DETACH), `unmount ${path}`);
  } catch (error) {
    // EINVAL: a plain file, left by a crash between its making and its mount
    if (!(error instanceof SystemError) || error.code !== "EINVAL") throw error;
  }
  rmSync(path, { force: true });
}

/** Paths of the namespaces held in a folder. */
export const listNamespaces = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
