import { posix } from "node:path";

/** Paths inside an image or context. */

/** Joins a relative path to the current folder; an absolute one stays as it is written. */
export function resolvePath(current: string, path: string): string {
  if (path.startsWith("/")) return path;
  const parent = current.startsWith("/") ? current : posix.join("/", current);
  return path === "" ? parent : clean(posix.join(parent, path));
}

/** The same for a destination: a trailing `/` or `/.` stays, and nothing means the current folder. */
export function resolveDestination(current: string, path: string): string {
  const written = path === "." || path === "" ? "./" : path;
  const resolved = resolvePath(current, written);
  if (written.endsWith("/")) return resolved.endsWith("/") ? resolved : `${resolved}/`;
  if (!written.endsWith("/.") || written.startsWith("/")) return resolved;
  return resolved === "/" ? "/." : `${resolved}/.`;
}

/** Go's path.Clean: no `.`, `..` or `/` more than needed; nothing is `.`. */
export const clean = (path: string): string => withoutSlash(posix.normalize(path));

const withoutSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, "") || "/" : path);
