import type { Mount } from "../../types/runtime-spec.ts";
import type { SpecInput } from "./input.ts";
import { initTarget } from "./paths.ts";

const defaultShmSize = 64 * 1024 * 1024;

const kernelMount = (destination: string, type: string, source: string, ...options: string[]): Mount => ({
  destination,
  type,
  source,
  options,
});

function defaultMounts({ privileged, shmSize = defaultShmSize, namespaces }: SpecInput): Mount[] {
  const readonly = privileged ? [] : ["ro"];
  const ownIpc = namespaces.ipc === "private";
  return [
    kernelMount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
    kernelMount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    kernelMount(
      "/dev/pts",
      "devpts",
      "devpts",
      "nosuid",
      "noexec",
      "newinstance",
      "ptmxmode=0666",
      "mode=0620",
      "gid=5",
    ),
    kernelMount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", ...readonly),
    kernelMount("/sys/fs/cgroup", "cgroup", "cgroup", ...readonly, "nosuid", "noexec", "nodev"),
    ...messageQueues(namespaces),
    ...(ownIpc
      ? [kernelMount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", `size=${shmSize}`)]
      : []),
  ];
}

/** Only who owns an IPC namespace may mount its queues: there are none where another user namespace has the host's. */
const messageQueues = ({ ipc, user }: SpecInput["namespaces"]): Mount[] =>
  user !== undefined && ipc === "host"
    ? []
    : [kernelMount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev")];

const depth = (path: string): number => path.split("/").filter(Boolean).length;

/** Default mounts less those the user replaces, then the user's, parents before what lies below them. */
export function specMounts(input: SpecInput): Mount[] {
  const own: Mount[] = input.mounts.map((mount) => ({
    ...mount,
    options: bindOptions(mount.type, mount.options),
  }));
  if (input.init !== undefined)
    own.push({ destination: initTarget, type: "bind", source: input.init, options: ["bind", "ro"] });
  const replaced = new Set(own.map(({ destination }) => destination));
  const kept = defaultMounts(input).filter(({ destination }) => !replaced.has(destination));
  const sorted = own.toSorted((a, b) => depth(a.destination) - depth(b.destination));
  // what a user mounts at /dev or /sys as a whole replaces the defaults below it, too
  const hidden = (mount: Mount): boolean =>
    [...replaced].some((target) => target !== "/" && mount.destination.startsWith(`${target}/`));
  return [...kept.filter((mount) => !hidden(mount)), ...sorted];
}

function bindOptions(type: string, options: readonly string[]): string[] {
  const needsBind = type === "bind" && !options.includes("bind") && !options.includes("rbind");
  return needsBind ? ["rbind", ...options] : [...options];
}
