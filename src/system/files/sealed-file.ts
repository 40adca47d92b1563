import { ptr } from "bun:ffi";
import { closeSync, writeSync } from "node:fs";
import { bindLibc, check, cString, SystemError } from "../libc.ts";

/** Files in memory, also such as nobody can change any more: memfd_create(2), fcntl(2) "File Sealing". */
const libc = bindLibc({
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
});

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** seal, shrink, grow, write */
const allSeals = 0xf;

/** A descriptor of the sealed bytes; it closes on exec, and is the caller's to close. */
export function sealedFile(name: string, bytes: Uint8Array, options: { executable?: boolean } = {}): number {
  const fd = create(name, options.executable === true);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    check(libc.fcntl(fd, F_ADD_SEALS, allSeals), "fcntl F_ADD_SEALS");
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A descriptor of an empty file that others may write by its path (`pathOf`); the caller's to close. */
export const memoryFile = (name: string): number => create(name, false);

/** A path by which other processes of root's open a file of ours, as long as we hold it. */
export const pathOf = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;

function create(name: string, executable: boolean): number {
  const text = cString(name);
  const call = (flags: number): number => check(libc.memfd_create(ptr(text), flags), "memfd_create");
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (!executable) return call(flags);
  try {
    return call(flags | MFD_EXEC);
  } catch (error) {
    // a kernel before 6.3 does not know the flag, and lets such files be executed without it
    if (error instanceof SystemError && error.code === "EINVAL") return call(flags);
    throw error;
  }
}
