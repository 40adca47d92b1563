import { readFileSync } from "node:fs";
import { bindLibc, check } from "./libc.ts";

const { madvise } = bindLibc({ madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });

const dontNeed = 4;

/**
 * Unmaps the pages of our own program text, and of the constants in front of it; they stay in the page cache and come back by
 * themselves where they are touched again. Starting up touches most of the executable, serving only a small part of it.
 */
export function releaseProgramText(): void {
  for (const line of readFileSync("/proc/self/maps", "latin1").split("\n")) {
    const match = unwritten.exec(line);
    if (!match) continue;
    const from = BigInt(`0x${match[1]}`);
    check(madvise(from, BigInt(`0x${match[2]}`) - from, dontNeed), "release program text");
  }
}

/**
 * Of each file its code, and what lies before it (from offset 0 on): the linker's tables and, in our executable, constants.
 * What the loader has written into (read-only after that) lies behind the code and must stay.
 */
const unwritten = /^([0-9a-f]+)-([0-9a-f]+) (?:r-xp \S+ \S+ [1-9]\d*|r--p 0+ \S+ [1-9]\d*) +\/\S+$/;
