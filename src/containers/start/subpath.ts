import { EngineError } from "../../lib/errors.ts";
import { holdBeneath } from "../../system/beneath.ts";

/**
 * A part of a volume or image as a mount's source: a descriptor's path, so that nobody who writes in the volume can lead
 * the mount elsewhere after the check. `keep` gets what closes it, once the mount is made.
 */
export function subpathSource(base: string, subpath: string, keep: (release: () => void) => void): string {
  const held = holdBeneath(base, subpath);
  if (held === "missing") {
    const path = `${base}/${subpath}`;
    throw new EngineError("invalid", `cannot access path ${path}: lstat ${path}: no such file or directory`);
  }
  if (held === "escapes")
    throw new EngineError(
      "invalid",
      `path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`,
    );
  keep(held.close);
  return held.path;
}

/** Go's filepath.IsLocal: relative, and not above where it starts. */
export function isLocalPath(path: string): boolean {
  if (path === "" || path.startsWith("/") || path.includes("\0")) return false;
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return false;
  }
  return true;
}
