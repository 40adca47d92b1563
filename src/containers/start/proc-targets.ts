import { statfsSync } from "node:fs";
import { initFailure } from "../../runtime/failure.ts";
import type { MountInput } from "../../runtime/spec/input.ts";
import { realBeneath } from "../../system/beneath.ts";

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
export function refuseProcTargets(
  rootfs: string,
  mounts: readonly Pick<MountInput, "destination" | "source">[],
): void {
  for (const { destination, source } of mounts) {
    const real = realBeneath(rootfs, destination);
    if (real !== "/proc" && !real.startsWith("/proc/")) continue;
    if (replaceable.has(real) || (real === "/proc" && isProc(source))) continue;
    const why = real === "/proc" ? "not of type proc" : "inside /proc";
    throw initFailure(
      `error mounting ${JSON.stringify(source)} to rootfs at ${JSON.stringify(destination)}: create mountpoint for ${destination} mount: check proc-safety of ${destination} mount: ${JSON.stringify(rootfs + real)} cannot be mounted because it is ${why}`,
    );
  }
}

function isProc(source: string): boolean {
  try {
    return statfsSync(source).type === procMagic;
  } catch {
    return false; // a source that is not there, or none (tmpfs): no proc
  }
}
