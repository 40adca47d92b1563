import { statSync } from "node:fs";
import { EngineError } from "../lib/errors.ts";

/** A device node of the host: its kind, numbers, mode and owner. */
export interface DeviceNode {
  type: "c" | "b";
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

/** Linux's coding of a device number (see makedev(3)). */
export function splitDevice(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  return { major: Number(major & 0xffffffffn), minor: Number(minor & 0xffffffffn) };
}

export function readDevice(path: string): DeviceNode | "missing" | "folder" | "other" {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return "missing";
  if (stat.isDirectory()) return "folder";
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return "other";
  return {
    type: stat.isBlockDevice() ? "b" : "c",
    ...splitDevice(stat.rdev),
    fileMode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
}

export function deviceNumbers(path: string): { major: number; minor: number } {
  const found = readDevice(path);
  if (typeof found === "string") throw new EngineError("invalid", `${path} is no device`);
  return { major: found.major, minor: found.minor };
}
