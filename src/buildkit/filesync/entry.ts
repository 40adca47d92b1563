import { EngineError } from "../../lib/errors.ts";
import type { Decoded } from "../../lib/protobuf/schema.ts";
import { fileType, pathLengthMax, toText } from "../../system/files/at.ts";
import type { stat } from "../messages/session.ts";
import { fromGoMode } from "./go-mode.ts";

/** A file as the sender lists it. Paths and link targets are byte strings (`system/files/at.ts`), relative, without `.` or `..`. */
export interface Entry {
  path: string;
  /** with the file type */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** nanoseconds since the epoch */
  modTime: bigint;
  /** of a symlink: what it says; of a file: the earlier path that it is a hard link of */
  link: string;
  deviceMajor: number;
  deviceMinor: number;
}

const wrong = (path: string, why: string): EngineError =>
  new EngineError("invalid", `the client lists ${JSON.stringify(toText(path.slice(0, 200)))}: ${why}`);

const byteString = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

/** Checks what the wire brought. undefined = a file that cannot be kept (a socket, an unknown type), which is passed over. */
export function entryOf(from: Decoded<typeof stat>): Entry | undefined {
  const path = byteString(from.path);
  checkPath(path);
  const mode = fromGoMode(from.mode);
  if (mode === undefined || (mode & fileType.mask) === fileType.socket) return undefined;
  const link = byteString(from.linkname);
  if (link.length > pathLengthMax || link.includes("\0")) throw wrong(path, "its link's target is no path");
  const { uid, gid, size, modTime, devmajor, devminor } = from;
  return { path, mode, uid, gid, size, modTime, link, deviceMajor: devmajor, deviceMinor: devminor };
}

/** Throws `invalid` for a path that is not plainly below the root. */
function checkPath(path: string): void {
  if (path.length === 0 || path.length > pathLengthMax) throw wrong(path, "its length is wrong");
  if (path.includes("\0")) throw wrong(path, "it has a NUL");
  for (const name of path.split("/")) {
    if (name === "" || name === "." || name === "..") throw wrong(path, "it is not a clean relative path");
    if (name.length > 255) throw wrong(path, "a name is too long");
  }
}

export const typeOf = ({ mode }: Entry): number => mode & fileType.mask;
export const isDirectory = (entry: Entry): boolean => typeOf(entry) === fileType.directory;
/** Whether its bytes are asked for: a file that is not a hard link. */
export const hasData = (entry: Entry): boolean => typeOf(entry) === fileType.file && entry.link === "";

export const parentOf = (path: string): string => {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
};

/** The order of a listing: a folder is followed by what is in it, names in the order of their bytes. */
export function compareOrder(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [here, there] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (here === there) continue;
    if (here === slash) return -1;
    return there === slash ? 1 : here - there;
  }
  return one.length - other.length;
}

const slash = "/".charCodeAt(0);

/** Whether the kept file is the listed one still: by type, mode, owner, and size and time of files. */
export function unchanged(kept: Entry, listed: Entry): boolean {
  if (kept.mode !== listed.mode || kept.uid !== listed.uid || kept.gid !== listed.gid) return false;
  if (isDirectory(listed)) return true;
  return (
    kept.link === listed.link &&
    kept.size === listed.size &&
    kept.modTime === listed.modTime &&
    kept.deviceMajor === listed.deviceMajor &&
    kept.deviceMinor === listed.deviceMinor
  );
}
