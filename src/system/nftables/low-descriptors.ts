import { closeSync, readlinkSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { bindLibc, check, cString } from "../libc.ts";
import { openFilesMax } from "../process/limits.ts";

const libc = bindLibc({
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  dup3: { args: ["i32", "i32", "i32"], returns: "i32" },
});

const MFD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 1030;
const O_CLOEXEC = 0o2000000;
/** select(2) takes no descriptor from here on: glibc ends the process */
const selectLimit = 1024;
/** where the reserve begins; each lane has numbers of its own, for one thread at a time */
const first = 960;
const lanes = 4;
const perLane = 8;
const name = "berth-low";
const target = `/memfd:${name} (deleted)`;

/**
 * Descriptors below 1024 kept for libraries that still wait with select(2), as libnftables does: an engine with some
 * 250 containers has used all others up. Called once, early, before others can have those numbers.
 * `limit`: how many the process may have open.
 */
export function reserveLowDescriptors(limit = openFilesMax()): void {
  if (limit < selectLimit)
    throw new EngineError(
      "unavailable",
      `the engine needs ${selectLimit} open files or more and may have ${limit}: raise the limit (ulimit -n, or LimitNOFILE= of its service)`,
    );
  const fd = check(libc.memfd_create(cString(name), MFD_CLOEXEC), "reserve descriptors");
  try {
    for (let number = first; number < first + lanes * perLane; number++) {
      const got = isOpen(number) ? -1 : check(libc.fcntl(fd, F_DUPFD_CLOEXEC, number), "reserve descriptors");
      if (got >= first + lanes * perLane) closeSync(got);
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Gives an open descriptor a number of the lane's reserve, which it takes in one step: no other thread can have it in
 * between. A descriptor that is low already stays.
 */
export function moveLow(fd: number, lane: number): number {
  if (fd < selectLimit) return fd;
  const low = numbersOf(lane).find((number) => linkOf(number) === target);
  if (low === undefined)
    throw new EngineError("unavailable", "no descriptor below 1024 is left, which nftables needs");
  check(libc.dup3(fd, low, O_CLOEXEC), "take a low descriptor");
  closeSync(fd);
  return low;
}

/** The other way: a high number for the descriptor; the low one is in the reserve again. One of no reserve stays. */
export function moveBack(fd: number, lane: number): number {
  if (!numbersOf(lane).includes(fd)) return fd;
  const high = check(libc.fcntl(fd, F_DUPFD_CLOEXEC, first + lanes * perLane), "give a low descriptor back");
  const memory = check(libc.memfd_create(cString(name), MFD_CLOEXEC), "give a low descriptor back");
  try {
    check(libc.dup3(memory, fd, O_CLOEXEC), "give a low descriptor back");
  } finally {
    closeSync(memory);
  }
  return high;
}

const numbersOf = (lane: number): number[] =>
  Array.from({ length: perLane }, (_, index) => first + (lane % lanes) * perLane + index);

const isOpen = (fd: number): boolean => linkOf(fd) !== "";

/** What a descriptor is, "" = not open. */
export function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return "";
    throw error;
  }
}
