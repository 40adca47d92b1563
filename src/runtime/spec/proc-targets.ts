import { statfsSync, statSync } from "node:fs";
import { realBeneath } from "../../system/files/beneath.ts";
import { initFailure } from "../oci-runtime/failure.ts";
import type { MountInput } from "./input.ts";

const procMagic = 0x9fa0;

/** What tools like lxcfs put in the place of the kernel's. */
const replaceable = new Set(
  [
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "net/dev",
    "slabinfo",
    "stat",
    "swaps",
    "sys/crypto/fips_enabled",
    "sys/kernel/ns_last_pid",
    "uptime",
  ].map((name) => `/proc/${name}`),
);

/**
 * Refuses a mount over or into `/proc`, also one that the image's links lead there: what a process writes to
 * `/proc/self/attr` confines it, and a volume of the image's in its place would not. runc refuses these, crun does not.
 */
export function refuseProcTargets(rootfs: string, mounts: readonly Target[]): void {
  for (const mount of mounts) for (const real of placesOf(rootfs, mount, mounts)) refuse(rootfs, mount, real);
}

type Target = Pick<MountInput, "destination" | "source">;

function refuse(rootfs: string, { destination, source }: Target, real: string): void {
  if (real !== "/proc" && !real.startsWith("/proc/")) return;
  if (replaceable.has(real) || (real === "/proc" && isProc(source))) return;
  const why = real === "/proc" ? "not of type proc" : "inside /proc";
  throw initFailure(
    `error mounting ${JSON.stringify(source)} to rootfs at ${JSON.stringify(destination)}: create mountpoint for ${destination} mount: check proc-safety of ${destination} mount: ${JSON.stringify(rootfs + real)} cannot be mounted because it is ${why}`,
  );
}

/** Where the runtime may come to: by the links of the root, and by those of another mount that the place lies in. */
function placesOf(rootfs: string, { destination }: Target, mounts: readonly Target[]): string[] {
  const plain = realBeneath(rootfs, destination);
  const above = mounts
    .filter((other) => other.destination !== "/" && destination.startsWith(`${other.destination}/`))
    .sort((one, other) => other.destination.length - one.destination.length)[0];
  if (above === undefined || !isFolder(above.source)) return [plain];
  const rest = destination.slice(above.destination.length).replace(/\/+$/, "");
  const inside = realBeneath(above.source, rest);
  return inside === rest ? [plain] : [plain, realBeneath(rootfs, inside)];
}

const isFolder = (path: string): boolean =>
  path.startsWith("/") && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function isProc(source: string): boolean {
  try {
    return statfsSync(source).type === procMagic;
  } catch {
    return false; // a source that is not there, or none (tmpfs): no proc
  }
}
