import { closeSync, existsSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { bindLibc, check } from "../libc.ts";
import { findSection } from "./own-executable.ts";

const { madvise } = bindLibc({ madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });

const dontNeed = 4;
const page = 4096;
const pagemap = "/proc/self/pagemap";

/** Addresses, whole pages; far below 2^53. */
interface Range {
  from: number;
  to: number;
}

/**
 * What this process has read of its executable: program text, the constants in front of it, and our compiled scripts.
 * Starting up touches most of it, serving only a small part. Libraries are left alone: where one that was closed lay,
 * there may be other memory by now.
 */
export class ProgramPages {
  private ranges: Range[] = [];

  find(): void {
    const path = readlinkSync("/proc/self/exe");
    this.ranges = readFileSync("/proc/self/maps", "utf8")
      .split("\n")
      .flatMap((line) => {
        const match = unwritten.exec(line);
        return match?.[3] === path ? [{ from: Number(`0x${match[1]}`), to: Number(`0x${match[2]}`) }] : [];
      });
    const scripts = ownScripts();
    if (scripts && !anyWritten(scripts)) this.ranges.push(scripts);
  }

  /**
   * Unmaps them. They stay in the page cache and come back by themselves where they are touched again, as this function
   * does: it must use little of the executable.
   */
  release(): void {
    for (const { from, to } of this.ranges) check(madvise(from, to - from, dontNeed), "release program text");
  }
}

/**
 * Code, and what lies before it (from offset 0 on): the linker's tables and constants. What the loader has written into
 * (read-only after that) lies behind the code and must stay. The path may end in ` (deleted)`, as the link's does.
 */
const unwritten = /^([0-9a-f]+)-([0-9a-f]+) (?:r-xp \S+|r--p 0+) \S+ [1-9]\d* +(\/.*)$/;

/** The section that holds our scripts, in a mapping that could be written; undefined when run from source. */
function ownScripts(): Range | undefined {
  const section = findSection(".bun");
  if (section === undefined) return undefined;
  const from = Math.ceil(section.address / page) * page;
  const to = Math.floor((section.address + section.size) / page) * page;
  return from < to ? { from, to } : undefined;
}

/** Whether a page is memory of our own, which would be lost with what was written to it. proc_pid_pagemap(5), which few kernels lack. */
function anyWritten({ from, to }: Range): boolean {
  if (!existsSync(pagemap)) return true;
  const inMemory = 1 << 31;
  const inSwap = 1 << 30;
  const ofFile = 1 << 29;
  const entries = Buffer.alloc(((to - from) / page) * 8);
  const map = openSync(pagemap, "r");
  try {
    if (readSync(map, entries, 0, entries.length, (from / page) * 8) !== entries.length) return true;
  } finally {
    closeSync(map);
  }
  for (let at = 4; at < entries.length; at += 8) {
    const flags = entries.readInt32LE(at);
    if ((flags & (inMemory | inSwap)) !== 0 && (flags & ofFile) === 0) return true;
  }
  return false;
}
