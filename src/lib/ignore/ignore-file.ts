import { posix } from "node:path";

/** One line of `.dockerignore` that says something. */
interface IgnoreLine {
  /** cleaned: `!` in front where it re-includes, no leading or trailing `/` */
  pattern: string;
  /** 1-based */
  line: number;
}

/**
 * The patterns of an ignore file (https://docs.docker.com/build/concepts/context/#dockerignore-files): `#` in the first
 * column begins a comment, blanks around a pattern go, paths are cleaned, a leading `/` means nothing.
 */
export function parseIgnoreFile(text: string): IgnoreLine[] {
  const lines: IgnoreLine[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    const trimmed = raw.trim();
    if (raw.startsWith("#") || trimmed === "") continue;
    const again = trimmed.startsWith("!");
    const path = again ? trimmed.slice(1).trim() : trimmed;
    lines.push({ pattern: (again ? "!" : "") + cleaned(path), line: index + 1 });
  }
  return lines;
}

function cleaned(path: string): string {
  if (path === "") return "";
  const clean = posix.normalize(path);
  if (clean === "/") return clean;
  return clean.replace(/\/+$/, "").replace(/^\//, "");
}
