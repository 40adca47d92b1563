import type { Entry } from "./entry.ts";

/**
 * Where received files go. Each path's parent has been made as a directory before, and nothing is at the path itself:
 * the receiver sees to both.
 */
export interface Tree {
  makeDirectory(entry: Entry): void;
  /** A symlink, fifo or device. */
  makeNode(entry: Entry): void;
  makeHardLink(entry: Entry): void;
  /** A file whose bytes follow by `write`, then `finish`. */
  createFile(entry: Entry): TreeFile;
  /** Mode and owner of a directory that stays. */
  changeDirectory(entry: Entry): void;
  /** A directory's time, once nothing in it changes any more. */
  setDirectoryTime(entry: Entry): void;
  /** With everything below. */
  remove(path: string): void;
}

export interface TreeFile {
  write(bytes: Uint8Array): void;
  finish(): void;
  abandon(): void;
}
