import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import type { LinuxDevice, LinuxDeviceCgroup } from "../../types/runtime-spec.ts";
import type { DeviceInput } from "./input.ts";

const charDevice = (major: number, minor?: number): LinuxDeviceCgroup => ({
  allow: true,
  type: "c",
  major,
  ...(minor === undefined ? {} : { minor }),
  access: "rwm",
});

/**
 * Device access of every container. Every node may be made, but few opened: null, zero, full, random, urandom, tty,
 * console, ptmx, pseudo-terminals. The nodes themselves the runtime makes (runtime spec, default devices).
 */
export const defaultDeviceRules: readonly LinuxDeviceCgroup[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  charDevice(1, 3),
  charDevice(1, 5),
  charDevice(1, 7),
  charDevice(1, 8),
  charDevice(1, 9),
  charDevice(5, 0),
  charDevice(5, 1),
  charDevice(5, 2),
  charDevice(136),
];

export const allDevices: LinuxDeviceCgroup = { allow: true, access: "rwm" };

export const deviceRule = ({ device, access }: DeviceInput): LinuxDeviceCgroup => ({
  allow: true,
  type: device.type,
  major: device.major,
  minor: device.minor,
  access,
});

/** `c 1:3 rwm`, `b *:* m`, `a *:* rwm` (a = both kinds): what `--device-cgroup-rule` takes. */
export function parseDeviceRule(text: string): LinuxDeviceCgroup {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (!match) throw new EngineError("invalid", `invalid device cgroup rule format: '${text}'`);
  const [, type = "a", major = "*", minor = "*", access = ""] = match;
  return {
    allow: true,
    type,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}

/** dev_t of glibc and musl to its two numbers. */
const majorOf = (dev: number): number => ((dev >>> 8) & 0xfff) | (Math.floor(dev / 2 ** 32) & ~0xfff);
const minorOf = (dev: number): number => (dev & 0xff) | ((Math.floor(dev / 2 ** 12) >>> 0) & 0xffffff00);

/** The device at a host path, to appear at `target`; undefined when what is there is no device. */
export function deviceAt(hostPath: string, target: string): LinuxDevice | undefined {
  const stat = lstatSync(hostPath);
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined;
  return {
    path: target,
    type: stat.isBlockDevice() ? "b" : "c",
    major: majorOf(stat.rdev),
    minor: minorOf(stat.rdev),
    fileMode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

const ownFolders = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

/** Every device below a folder of the host (a privileged container has them all). */
export function hostDevices(folder = "/dev"): LinuxDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ownFolders.has(entry.name) ? [] : hostDevices(path);
    if (entry.name === "console" || !(entry.isCharacterDevice() || entry.isBlockDevice())) return [];
    const device = deviceAt(path, path);
    return device ? [device] : [];
  });
}
