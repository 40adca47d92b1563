import { EngineError } from "../../../lib/errors.ts";
import { holdBeneath } from "../../../system/files/beneath.ts";
import { type Keep, stage } from "./staging.ts";

/**
 * A part of a volume or image as a mount's source. It is found by descriptor and staged by it, so that nobody who writes
 * in the volume can lead the mount elsewhere after the check.
 */
export function subpathSource(execRoot: string, base: string, subpath: string, keep: Keep): string {
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
  try {
    return stage(execRoot, held.path, { recursive: true }, keep);
  } finally {
    held.close();
  }
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
