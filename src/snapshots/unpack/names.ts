import { EngineError } from "../../lib/errors.ts";
import { utf8 } from "../../lib/tar/entry.ts";
import { pathLengthMax } from "../../system/files/at.ts";

/**
 * A name from an archive as a path below the layer's root: "a/b", "" for the root itself. A leading slash is the root;
 * `..` may not leave it. Refuses names longer than the kernel takes.
 */
export function pathWithin(name: string): string {
  if (name.length > pathLengthMax)
    throw new EngineError(
      "invalid",
      `a name in the archive is ${name.length} bytes long, over the limit of ${pathLengthMax}`,
    );
  const path = lexical(name.split("/"));
  if (path === undefined)
    throw new EngineError("invalid", `${JSON.stringify(shown(name))} is outside of the archive's root`);
  return path;
}

function lexical(parts: readonly string[]): string | undefined {
  const kept: string[] = [];
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.pop() === undefined) return undefined;
  }
  return kept.join("/");
}

/** Whether a symlink at `path` with this target stays below the root, by its text alone. */
export function linkStays(path: string, target: string): boolean {
  if (target.startsWith("/")) return lexical(target.split("/")) !== undefined;
  return lexical([...parentOf(path).split("/"), ...target.split("/")]) !== undefined;
}

export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0));
export const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A name for a message: text, and not endless. */
export const shown = (name: string): string => {
  const text = utf8(name);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};
