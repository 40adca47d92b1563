import { readFileSync } from "node:fs";

/** How many descriptors this process may have open: the soft limit, proc(5), which Bun raises to the hard one. */
export function openFilesMax(): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return soft === undefined || soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
