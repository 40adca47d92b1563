import { closeSync, openSync } from "node:fs";
import { flags } from "../files/at.ts";
import { bindLibc, check, cString, errno } from "../libc.ts";

/**
 * The mount namespace of one thread, mount_namespaces(7). setns(2) refuses a thread that shares its root and folder with
 * another (`CLONE_FS`), which every thread does that it starts; and the JavaScript engine starts threads of its own (for its
 * compiler, for its collector) whenever a function gets hot. So a thread parts from all others before each step, and tries
 * again where one came in between. What such a thread of the engine's sees of files does not matter: it opens none.
 */
const libc = bindLibc({
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  fchdir: { args: ["i32"], returns: "i32" },
  chroot: { args: ["ptr"], returns: "i32" },
});

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const EINVAL = 22;
const triesMax = 100;
const own = "/proc/thread-self/ns/mnt";

/** Makes a namespace, in which the thread then is. */
export function unshareMounts(): void {
  check(libc.unshare(CLONE_NEWNS), "make a mount namespace"); // CLONE_NEWNS implies CLONE_FS
}

/** The namespace in which the thread is, by a descriptor that the caller closes. */
export const ownMounts = (): number => openSync(own, "r");

/** Where a thread comes back to: its mount namespace, its root and its folder. */
export class Home {
  private readonly fds: readonly [namespace: number, root: number, folder: number];

  /** of the thread as it is now */
  constructor() {
    this.fds = [ownMounts(), openSync("/", flags.path), openSync(".", flags.path)];
  }

  /** A thread that cannot go back would take other files for the host's: better no engine than that one. */
  goBack(): void {
    const [namespace, root, folder] = this.fds;
    try {
      enterMounts(namespace);
      check(libc.fchdir(root), "return to the root folder");
      check(libc.chroot(cString(".")), "return to the root folder");
      check(libc.fchdir(folder), "return to the working folder");
    } catch (error) {
      process.stderr.write(`${String(error)}: the engine ends\n`);
      process.abort();
    }
  }

  close(): void {
    for (const fd of this.fds) closeSync(fd);
  }
}

/** Takes the thread, and it alone, to a namespace; its root and folder are that namespace's root then. */
export function enterMounts(namespace: number): void {
  for (let tries = 1; ; tries++) {
    check(libc.unshare(CLONE_FS), "have a root of its own");
    const moved = libc.setns(namespace, CLONE_NEWNS);
    if (moved >= 0) return;
    if (errno() !== EINVAL || tries === triesMax) check(moved, "enter a mount namespace");
  }
}
