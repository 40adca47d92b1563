import { existsSync } from "node:fs";

/** Kernel files that tell of the host or act on it; hidden from a container. */
export const defaultMaskedPaths: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

export const defaultReadonlyPaths: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/** Where the init of `--init` appears in a container. */
export const initTarget = "/sbin/docker-init";

/** Inits that need no library of the container: static, and with tini's command line. */
const inits = [
  "/usr/bin/docker-init",
  "/usr/libexec/docker/docker-init",
  "/usr/bin/tini-static",
  "/usr/bin/catatonit",
  "/usr/libexec/catatonit/catatonit",
  "/usr/libexec/podman/catatonit",
];

/** The host's init for `--init`; undefined when none is installed (Debian: package tini). */
export const findInit = (candidates: readonly string[] = inits): string | undefined =>
  candidates.find((path) => existsSync(path));
