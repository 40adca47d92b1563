import { EngineError } from "../../lib/errors.ts";
import { utf8 } from "../../lib/tar/entry.ts";
import {
  close,
  type FileStatus,
  type FileTime,
  fileType,
  flags,
  must,
  readLink,
  statFd,
  toBytes,
} from "../../system/files/at.ts";
import { openInsideRaw } from "../../system/files/root-view.ts";
import type { PathStat } from "../contract.ts";
import { goFileMode } from "./file-mode.ts";
import { cleaned, lastName } from "./paths.ts";

const itself = flags.path | flags.noFollow;

/** What a path names, itself: a link is not followed unless a slash follows it. */
interface Found {
  /** a path descriptor; the caller closes it */
  fd: number;
  status: FileStatus;
  stat: PathStat;
}

export function findPath(root: number, path: string): Found {
  const fd = must(openInsideRaw(root, toBytes(path), itself), () => `lstat ${path}`);
  try {
    const status = statFd(fd);
    const link = (status.mode & fileType.mask) === fileType.symlink;
    const stat: PathStat = {
      name: lastName(path),
      size: status.size,
      mode: goFileMode(status.mode),
      mtime: rfc3339(status.mtime),
      linkTarget: link ? endOfLinks(root, path) : "",
    };
    return { fd, status, stat };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The years that RFC 3339 can write, in seconds since 1970. */
const earliest = -62_167_219_200;
const latest = 253_402_300_799;

export function rfc3339({ s, ns }: FileTime): string {
  const second = new Date(Math.min(Math.max(s, earliest), latest) * 1000).toISOString().slice(0, 19);
  const fraction = String(ns).padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${second}Z` : `${second}.${fraction}Z`;
}

const linksMax = 255;

/** Where a path leads once every link in it is followed, as far as there are any: it may end at nothing. */
function endOfLinks(root: number, path: string): string {
  let done = "/";
  let links = 0;
  const rest = cleaned(path).split("/").filter(Boolean).reverse();
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const next = cleaned(`${done}/${name}`);
    const target = linkAt(root, next);
    if (target === undefined) {
      done = next;
      continue;
    }
    if (++links > linksMax)
      throw new EngineError("internal", `evalSymlinksInScope: too many links in ${path}`);
    if (target.startsWith("/")) done = "/";
    rest.push(...target.split("/").filter(Boolean).reverse());
  }
  return done;
}

/** The text of the link at a path; undefined where something else or nothing is. */
function linkAt(root: number, path: string): string | undefined {
  const fd = openInsideRaw(root, toBytes(path), itself);
  if (fd < 0) return undefined;
  try {
    if ((statFd(fd).mode & fileType.mask) !== fileType.symlink) return undefined;
    return utf8(readLink(fd, ""));
  } finally {
    close(fd);
  }
}
