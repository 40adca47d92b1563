import type { FileStatus } from "../../../system/files/at.ts";

/** A file that changed less than this before it was looked at could change once more within the clock's tick. */
export const settledMs = 100;

export const millisOf = ({ ctime }: FileStatus): number => ctime.s * 1000 + ctime.ns / 1e6;

/** All that tells of a change of a file without reading it. */
export const stampOf = ({ inode, size, ctime, mtime }: FileStatus): string =>
  `${inode} ${size} ${ctime.s}.${ctime.ns} ${mtime.s}.${mtime.ns}`;

/** What a walk over a tree saw, whatever its order: a later one that saw the same has the same `sum`. */
export interface Seen {
  /** files changed since then (ms) count with their content, for times alone do not tell */
  since: number;
  sum: string;
}

export class Tally {
  readonly since: number;
  private sum = 0n;

  constructor(since = Date.now() - settledMs) {
    this.since = since;
  }

  /** Whether the content has to be told. */
  isRecent(status: FileStatus): boolean {
    return millisOf(status) >= this.since;
  }

  /** `content`: the digest of a recent file. */
  add(told: string, status: FileStatus, content = ""): void {
    this.sum ^= BigInt(Bun.hash(`${stampOf(status)} ${content} ${told}`));
  }

  get seen(): Seen {
    return { since: this.since, sum: this.sum.toString(16) };
  }
}
