import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { cgroupLayout } from "../../system/cgroup/cgroup.ts";
import { canLoadLibrary } from "../../system/process/library.ts";

/** One requirement: what was found, or how to get it. */
interface Finding {
  name: string;
  /** "missing" keeps the engine from running containers; "warning" only takes something away */
  state: "found" | "warning" | "missing";
  /** what is there, or what is wrong and how to meet it */
  text: string;
}

type Check = () => Finding;

const found = (name: string, text: string): Finding => ({ name, state: "found", text });
const missing = (name: string, text: string): Finding => ({ name, state: "missing", text });
const warning = (name: string, text: string): Finding => ({ name, state: "warning", text });

/** Every requirement of the engine on this host, in the order a person would meet them. */
export const checkHost = (): Finding[] => checks.map((check) => check());

const checks: readonly Check[] = [
  root,
  kernel,
  overlay,
  namespaces,
  seccomp,
  cgroups,
  ociRuntime,
  () => program("conmon", "conmon", "holds each container's output and exit code"),
  nftables,
  bridge,
  forwarding,
  () => optionalProgram("xz", "xz-utils", "for archives compressed with xz"),
  () => optionalProgram("bzip2", "bzip2", "for archives compressed with bzip2"),
  init,
];

function root(): Finding {
  return process.getuid?.() === 0
    ? found("root", "running as root")
    : missing(
        "root",
        "the engine makes namespaces, mounts and network links: run it as root (sudo berth daemon)",
      );
}

/** cgroup v2's kill and freezer and `openat2` are all in 5.6; the engine's oldest host is Ubuntu 22.04's 5.15. */
function kernel(): Finding {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const enough = major > 5 || (major === 5 && minor >= 10);
  return enough
    ? found("kernel", `Linux ${release()}`)
    : missing("kernel", `Linux ${release()} is too old: boot a kernel of 5.10 or newer`);
}

function overlay(): Finding {
  const known = readFileSync("/proc/filesystems", "latin1").includes("\toverlay\n");
  if (known || existsSync(`/lib/modules/${release()}/kernel/fs/overlayfs`))
    return found("overlay", "the kernel has overlay file systems");
  return warning(
    "overlay",
    "the kernel has no overlay file system: layers will be copied (storage driver vfs), which is slow; run modprobe overlay, or boot a kernel with CONFIG_OVERLAY_FS",
  );
}

function namespaces(): Finding {
  const absent = ["mnt", "pid", "net", "ipc", "uts", "cgroup"].filter(
    (name) => !existsSync(`/proc/self/ns/${name}`),
  );
  return absent.length === 0
    ? found("namespaces", "mnt, pid, net, ipc, uts, cgroup")
    : missing(
        "namespaces",
        `the kernel lacks ${absent.join(", ")} namespaces: boot one with CONFIG_NAMESPACES`,
      );
}

function seccomp(): Finding {
  return existsSync("/proc/sys/kernel/seccomp/actions_avail")
    ? found("seccomp", "system calls can be filtered")
    : warning(
        "seccomp",
        "the kernel cannot filter system calls: containers run without that protection; boot one with CONFIG_SECCOMP_FILTER",
      );
}

function cgroups(): Finding {
  if (!existsSync("/sys/fs/cgroup"))
    return missing("cgroup", "no control groups are mounted: mount -t cgroup2 none /sys/fs/cgroup");
  const layout = cgroupLayout();
  if (layout === "v2") return found("cgroup", "version 2");
  const controllers = ["memory", "pids", "cpu", "devices", "freezer"].filter(
    (name) => !existsSync(join("/sys/fs/cgroup", name)),
  );
  if (controllers.length > 0)
    return missing(
      "cgroup",
      `version 1 without the ${controllers.join(", ")} hierarchy: apt install cgroupfs-mount, or boot with version 2 (systemd.unified_cgroup_hierarchy=1)`,
    );
  return found("cgroup", layout === "mixed" ? "version 1, with version 2 beside it" : "version 1");
}

function ociRuntime(): Finding {
  const crun = findInPath("crun");
  if (crun) return found("crun", crun);
  const runc = findInPath("runc");
  return runc
    ? warning("crun", `not found, ${runc} stands in and is slower: apt install crun`)
    : missing("crun", "runs the containers and is not found: apt install crun");
}

function program(name: string, aptPackage: string, does: string): Finding {
  const path = findInPath(name);
  return path ? found(name, path) : missing(name, `${does} and is not found: apt install ${aptPackage}`);
}

function optionalProgram(name: string, aptPackage: string, does: string): Finding {
  const path = findInPath(name);
  return path
    ? found(name, path)
    : warning(name, `not found, it is only needed ${does}: apt install ${aptPackage}`);
}

function nftables(): Finding {
  return canLoadLibrary("libnftables.so.1")
    ? found("nftables", "libnftables.so.1")
    : missing(
        "nftables",
        "libnftables.so.1 makes the packet rules and is not found: apt install libnftables1",
      );
}

function bridge(): Finding {
  const built = existsSync("/sys/module/bridge") || existsSync(`/lib/modules/${release()}/kernel/net/bridge`);
  return built
    ? found("bridge", "the kernel has network bridges")
    : warning(
        "bridge",
        "the kernel's bridge module is not to be seen: run modprobe bridge where networks fail",
      );
}

function forwarding(): Finding {
  const on = readFileSync("/proc/sys/net/ipv4/ip_forward", "latin1").trim() === "1";
  if (on) return found("ip_forward", "IPv4 packets are forwarded");
  return writable("/proc/sys/net/ipv4/ip_forward")
    ? found("ip_forward", "off, the engine switches it on")
    : warning(
        "ip_forward",
        "off and not ours to change, so containers reach nothing outside: sysctl -w net.ipv4.ip_forward=1",
      );
}

function init(): Finding {
  const path = findInit();
  return path
    ? found("tini", path)
    : warning("tini", "no init was found, it is only needed for --init: apt install tini");
}

const initNames = ["docker-init", "tini-static", "tini", "catatonit"];

/** The init that `--init` runs, by the names distributions give it. */
export function findInit(): string | undefined {
  for (const name of initNames) {
    const path = findInPath(name);
    if (path) return path;
  }
  return undefined;
}

const systemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** As a shell finds a program; without PATH, where systems keep them. */
function findInPath(name: string): string | undefined {
  const folders = process.env["PATH"]?.split(":") ?? systemFolders;
  return folders.map((folder) => join(folder, name)).find((path) => isExecutable(path));
}

const isExecutable = (path: string): boolean => allowed(path, constants.X_OK);
const writable = (path: string): boolean => allowed(path, constants.W_OK);

/** access(2) says no by an error. */
function allowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

const usage = `Usage:  berth doctor

Check what this machine needs to run containers, and say how to get what is missing.
Ends with 1 if something is. Networks of a running engine: berth network doctor
`;

/** `berth doctor`: every finding on a line; 1 where something is missing. */
export function doctor(
  args: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): number {
  const [word] = args;
  if (word === "--help" || word === "-h") {
    write(usage);
    return 0;
  }
  if (word !== undefined) {
    process.stderr.write(
      word.startsWith("-")
        ? `berth doctor: unknown flag: ${word}\n\nRun 'berth doctor --help' for more information\n`
        : "berth: 'berth doctor' accepts no arguments\n\nRun 'berth doctor --help' for more information\n",
    );
    return word.startsWith("-") ? 125 : 1;
  }
  const findings = checkHost();
  const marks = { found: "ok     ", warning: "warning", missing: "MISSING" };
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, state, text } of findings) write(`${marks[state]}  ${name.padEnd(width)}  ${text}\n`);
  const lacking = findings.filter(({ state }) => state === "missing").length;
  write(
    lacking === 0
      ? "\nThis machine can run containers.\n"
      : `\n${lacking} of what the engine needs is missing; the lines above say how to get it.\n`,
  );
  return lacking === 0 ? 0 : 1;
}
