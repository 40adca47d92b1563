import { posix } from "node:path";

/**
 * How Docker reads the `path` of an archive request. A trailing `/` or `/.` survives cleaning, for it tells what is
 * meant: the folder behind a link, and what is in a folder.
 */
export function absolutePath(path: string): string {
  const clean = cleaned(path);
  let kept = clean;
  if (lastName(clean) !== "." && lastName(path) === ".") kept += clean.endsWith("/") ? "." : "/.";
  if (!kept.endsWith("/") && path.endsWith("/")) kept += "/";
  return kept;
}

/** From the root, without `.`, `..` and double slashes, and without a slash at its end. */
export const cleaned = (path: string): string => {
  const clean = posix.normalize(`/${path}`);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
};

/** Last name of a path as it is written: `/` of the root, `.` of `a/.`. */
export function lastName(path: string): string {
  const plain = path.replace(/\/+$/, "");
  if (plain === "") return path === "" ? "." : "/";
  return plain.slice(plain.lastIndexOf("/") + 1);
}

/** Name in an archive of what lies in the folder `folder`. */
export const memberName = (folder: string, name: string): string =>
  folder === "" || folder.endsWith("/") ? folder + name : `${folder}/${name}`;

/** Whether `path` is `folder` or below it; both clean. */
export const isWithin = (folder: string, path: string): boolean =>
  folder === "/" || path === folder || path.startsWith(`${folder}/`);
