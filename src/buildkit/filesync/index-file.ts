import { closeSync, fstatSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import type { Entry } from "./entry.ts";
import { linesOf, RowFile, rowOf } from "./rows.ts";

/**
 * What a kept folder holds, beside it, in the order of the listing it was made by: only a folder whose last transfer ended
 * well has one, and it is true only for the boot it was written in (files are not synced one by one; after a loss of power
 * they may be empty).
 */
const header = (): string => JSON.stringify({ format: 2, boot: bootId() });
const end = '"end"';

export interface KeptIndex {
  /** in their order */
  next(): Entry | undefined;
  close(): void;
}

/** undefined = there is none that is true. */
export function openIndex(file: string): KeptIndex | undefined {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const lines = linesOf(fd, 0);
  if (!isWhole(fd) || lines() !== header()) {
    closeSync(fd);
    return undefined;
  }
  return {
    next: () => {
      const line = lines();
      return line === undefined || line === end ? undefined : rowOf(line).entry;
    },
    close: () => closeSync(fd),
  };
}

function isWhole(fd: number): boolean {
  const last = Buffer.from(`${end}\n`);
  const found = Buffer.alloc(last.length);
  const count = readSync(fd, found, 0, found.length, Math.max(0, fstatSync(fd).size - last.length));
  return count === last.length && found.equals(last);
}

/** The listing of a transfer, which `keepRows` makes the index of what it brought. */
export const newRows = (file: string): RowFile => new RowFile(`${file}.new`, header());

export const keepRows = (rows: RowFile, file: string): void => rows.become(file, header(), end);

export const dropIndex = (file: string): void => rmSync(file, { force: true });

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
