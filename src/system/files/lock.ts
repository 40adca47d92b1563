import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { bindLibc, check, errno } from "../libc.ts";

/** Locks on files (flock(2)): held while the process lives, whatever way it ends. */
const { flock } = bindLibc({ flock: { args: ["i32", "i32"], returns: "i32" } });

const exclusive = 2;
const nonBlocking = 4;
const EWOULDBLOCK = 11;

export interface FileLock {
  /** Lets go; the file stays. */
  release(): void;
}

/**
 * Locks a file, which is made where it is missing, and writes our pid into it. Answers the pid that holds it (0 where
 * the file does not tell) when another process does.
 */
export function lockFile(path: string): FileLock | { holder: number } {
  const fd = openSync(path, "a+", 0o644);
  try {
    const result = flock(fd, exclusive | nonBlocking);
    if (result < 0 && errno() === EWOULDBLOCK) {
      const holder = Number.parseInt(readFileSync(path, "latin1"), 10) || 0;
      closeSync(fd);
      return { holder };
    }
    check(result, `lock ${path}`);
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
    return { release: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
