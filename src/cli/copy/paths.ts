import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { CliError } from "../errors.ts";
import { fileError } from "../run/key-value-files.ts";

/** One side of a copy: what is known of the place, by whichever system it is on. */
export interface Place {
  /** as named, with what its end says (`/`, `/.`) */
  path: string;
  exists: boolean;
  isFolder: boolean;
  /** the name its archive's entries are to begin with, where it differs from the path's own */
  rebaseName: string;
}

/** `container:path`; a local path begins with `.` or `/`, or has no colon. */
export function splitArgument(argument: string): { container: string; path: string } {
  const at = argument.indexOf(":");
  if (isAbsolute(argument) || argument.startsWith(".") || at < 0) return { container: "", path: argument };
  return { container: argument.slice(0, at), path: argument.slice(at + 1) };
}

const namesFolder = (path: string): boolean =>
  path.endsWith("/") || path.endsWith("/.") || path === "." || path === "";

/** Makes a path absolute and keeps a trailing `/` or `/.`, which tell what the user means. */
export function absolute(path: string): string {
  const plain = resolve(path);
  if (path.endsWith("/.") || path === ".") return plain === "/" ? "/." : `${plain}/.`;
  return path.endsWith("/") && plain !== "/" ? `${plain}/` : plain;
}

/** Folder and last name; the last name of `x/.` is `.`. */
export function splitEntry(path: string): [folder: string, base: string] {
  const plain = path.endsWith("/.") ? path : path.replace(/\/+$/, "") || "/";
  return plain.endsWith("/.") ? [plain.slice(0, -2) || "/", "."] : [dirname(plain), basename(plain)];
}

export function localSource(argument: string, follow: boolean): Place {
  const path = absolute(argument);
  const plain = path.replace(/\/\.?$/, "") || "/";
  let looked = plain;
  try {
    const link = lstatSync(plain).isSymbolicLink();
    if (link && (follow || namesFolder(path))) {
      const target = resolve(dirname(plain), readlinkSync(plain));
      looked = target;
      return {
        path: path.endsWith("/.") ? `${target}/.` : target,
        exists: true,
        isFolder: statSync(target).isDirectory(),
        rebaseName: path.endsWith("/.") ? "" : basename(plain),
      };
    }
    const isFolder = lstatSync(plain).isDirectory();
    if (namesFolder(path) && !isFolder) throw new CliError("not a directory");
    return { path, exists: true, isFolder, rebaseName: "" };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") throw new CliError("not a directory");
    throw error instanceof CliError ? error : fileError("lstat", looked, error);
  }
}

/** A destination may be missing, but the folder it goes into may not. Links are followed to where they end. */
export function localDestination(argument: string): Place {
  const path = absolute(argument);
  refuseUnreadable(path);
  let plain = path.replace(/\/\.?$/, "") || "/";
  for (let hops = 0; hops < 40 && existsLink(plain); hops++)
    plain = resolve(dirname(plain), readlinkSync(plain));
  const end = path.endsWith("/.") ? "/." : path.endsWith("/") ? "/" : "";
  const there = statSync(plain, { throwIfNoEntry: false });
  if (there) {
    // what is copied takes the place of what is there: never of the machine's /dev/null
    if (there.isCharacterDevice() || there.isBlockDevice())
      throw new CliError(
        `invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got a device`,
      );
    return {
      path: plain + (plain === "/" ? "" : end),
      exists: true,
      isFolder: there.isDirectory(),
      rebaseName: "",
    };
  }
  const folder = dirname(plain);
  if (!existsSync(folder))
    throw new CliError(`invalid output path: directory ${JSON.stringify(folder)} does not exist`);
  return { path: plain + end, exists: false, isFolder: false, rebaseName: "" };
}

/** That nothing is there is no fault; what is below a file, or a ring of links, can be nothing's place. */
function refuseUnreadable(path: string): void {
  try {
    statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw fileError("stat", path, error);
  }
}

function existsLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** Where an archive is to be unpacked, and how its first name is to change. */
export interface Plan {
  folder: string;
  rename: { from: string; to: string } | undefined;
  /** a folder gives way to a file of its name, and the other way round */
  replaces?: boolean;
}

/** docker's rules for what `cp a b` means, by what a and b are. */
export function plan(source: Place, target: Place): Plan {
  const [targetFolder, targetBase] = splitEntry(target.path);
  const [, sourceBase] = splitEntry(source.path);
  const from = source.rebaseName || sourceBase;
  if (target.exists && target.isFolder) return { folder: target.path, rename: undefined };
  if (target.exists && source.isFolder) throw new CliError("cannot copy directory");
  if (!target.exists && !source.isFolder && namesFolder(target.path)) throw new CliError("no such directory");
  if (target.exists && namesFolder(target.path)) throw new CliError("no such directory");
  return { folder: targetFolder, rename: { from, to: targetBase } };
}

/** An entry's name with its first part changed as the plan says. */
export function renamed(name: string, rename: Plan["rename"]): string {
  if (!rename) return name;
  const { from, to } = rename;
  const plain = name.replace(/^\.\//, "");
  if (from === "." || from === "/") return join(to, plain);
  if (plain === from) return to;
  if (plain === `${from}/`) return `${to}/`;
  return plain.startsWith(`${from}/`) ? to + plain.slice(from.length) : name;
}
