import { EngineError } from "../../lib/errors.ts";
import { matchGlob } from "../../lib/text/glob.ts";
import {
  close,
  fileType,
  flags,
  listNames,
  must,
  openWithinRaw,
  resolve,
  statFd,
  toBytes,
  toText,
} from "../../system/files/at.ts";
import type { Filter } from "./filter.ts";

/** Something a pattern named: its path below the tree's root as a byte string ("" = the root), links in it followed. */
export interface Match {
  path: string;
  isDirectory: boolean;
  /** what the destination is named by: the last part as it was asked for */
  name: string;
  /** what `--parents` keeps of it: the path behind `/./`, else all of it */
  kept: string;
}

const within = resolve.inRoot | resolve.noMagicLinks;
const hasMeta = (text: string): boolean => /[*?[\\]/.test(text);

/**
 * What a source of COPY names in a tree, in order of names. Patterns are Go's `filepath.Match`, part by part; `..` ends at
 * the root. A name without wildcards must be there, and so must the folder
 * that a pattern begins with; a pattern may match nothing. Links are followed, never out of the tree.
 */
export function matchesOf(root: number, pattern: string, filter: Filter): Match[] {
  const parts = cleanParts(pattern);
  const pivot = pivotOf(pattern);
  if (!parts.some(hasMeta)) {
    const found = lookUp(root, parts, pivot, filter);
    if (found === undefined) throw notFound(pattern);
    return [found];
  }
  const folder = parts.slice(0, parts.findIndex(hasMeta));
  if (folder.length > 0 && lookUp(root, folder, 0, filter) === undefined) throw missingFolder(folder);
  const paths = new Set(expand(root, "", parts, filter));
  return [...paths]
    .map((path) => lookUp(root, path.split("/"), pivot, filter))
    .filter((match) => match !== undefined);
}

/** How many parts stand before `/./`. */
function pivotOf(pattern: string): number {
  const at = pattern.indexOf("/./", pattern.startsWith("./") ? 1 : 0);
  return at < 0 ? 0 : cleanParts(pattern.slice(0, at)).length;
}

const missingFolder = (parts: readonly string[]): EngineError =>
  new EngineError("invalid", `lstat /${toText(parts.join("/"))}: no such file or directory`);

export const notFound = (pattern: string): EngineError =>
  new EngineError("notFound", `"/${toText(cleanParts(pattern).join("/"))}": not found`);

/** The parts of a path or pattern as byte strings, `.` and `..` taken out. */
export function cleanParts(pattern: string): string[] {
  const parts: string[] = [];
  for (const part of toBytes(pattern).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts;
}

/** A path from a root as a byte string, `..` ending at the root; "" = the root itself. */
export const plainPath = (path: string): string =>
  cleanParts(path)
    .map((part) => `/${part}`)
    .join("");

function lookUp(root: number, parts: readonly string[], pivot: number, filter: Filter): Match | undefined {
  const path = parts.join("/");
  const out = path !== "" && filter.excludes(toText(path));
  // a left-out folder may hold what is in again
  if (out && filter.prunes(toText(path))) return undefined;
  const fd = openWithinRaw(root, path === "" ? "." : path, flags.path, within);
  if (fd < 0) return undefined;
  try {
    const isDirectory = (statFd(fd).mode & fileType.mask) === fileType.directory;
    if (!isDirectory && out) return undefined;
    return { path, isDirectory, name: parts.at(-1) ?? "", kept: parts.slice(pivot).join("/") };
  } finally {
    close(fd);
  }
}

function expand(root: number, base: string, parts: readonly string[], filter: Filter): string[] {
  const [part, ...rest] = parts;
  if (part === undefined) return base === "" ? [] : [base];
  const join = (name: string): string => (base === "" ? name : `${base}/${name}`);
  if (!hasMeta(part)) return expand(root, join(part), rest, filter);
  if (part === "**") return anyDepth(root, base, rest, filter);
  const pattern = toText(part);
  return namesIn(root, base)
    .filter((name) => matchGlob(pattern, toText(name)))
    .filter((name) => !filter.excludes(toText(join(name))) || !filter.prunes(toText(join(name))))
    .flatMap((name) => expand(root, join(name), rest, filter));
}

/** `**`: this folder and every one below it (links are not followed). */
function anyDepth(root: number, base: string, rest: readonly string[], filter: Filter): string[] {
  const found =
    rest.length === 0
      ? namesIn(root, base).map((name) => (base === "" ? name : `${base}/${name}`))
      : expand(root, base, rest, filter);
  for (const name of namesIn(root, base)) {
    const path = base === "" ? name : `${base}/${name}`;
    if (filter.excludes(toText(path)) && filter.prunes(toText(path))) continue;
    if (isPlainFolder(root, path)) found.push(...anyDepth(root, path, rest, filter));
  }
  return found;
}

function isPlainFolder(root: number, path: string): boolean {
  const fd = openWithinRaw(root, path, flags.path | flags.directory | flags.noFollow, within);
  if (fd < 0) return false;
  close(fd);
  return true;
}

function namesIn(root: number, base: string): string[] {
  const fd = openWithinRaw(root, base === "" ? "." : base, flags.readOnly | flags.directory, within);
  if (fd < 0) return [];
  try {
    return listNames(fd);
  } finally {
    close(fd);
  }
}

/** Opens a tree's root folder. */
export const openTree = (path: string): number =>
  must(openWithinRaw(-100, toBytes(path), flags.readOnly | flags.directory, 0), () => `open ${path}`);
