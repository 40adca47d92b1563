import type {
  LinuxDevice,
  LinuxDeviceCgroup,
  LinuxResources,
  Mount,
  Process,
  Seccomp,
} from "../../types/runtime-spec.ts";

/**
 * What `buildSpec` turns into an OCI spec: every decision already made (users resolved to numbers, mounts to paths,
 * modes to namespaces), every default already applied by the caller with the helpers of this folder. Only what is
 * present is written: a limit that was not asked for is never set.
 */
export interface SpecInput {
  readonly process: ProcessInput;
  /** "" = none of its own: the UTS namespace is another's */
  readonly hostname: string;
  readonly domainname?: string;
  readonly rootfs: { readonly path: string; readonly readonly: boolean };
  readonly namespaces: NamespacesInput;
  /** `runtime.cgroupPathFor(id)`, or below the parent the user named */
  readonly cgroupsPath: string;
  /** what a user or the engine mounts: volumes, binds, tmpfs, /etc/hosts …; in any order, `buildSpec` sorts them */
  readonly mounts: readonly MountInput[];
  /** bytes of /dev/shm; undefined = 64 MiB. Unused with a shared or host IPC namespace (bind it in `mounts`). */
  readonly shmSize?: number;
  readonly privileged: boolean;
  readonly resources: ResourcesInput;
  /** devices beyond the default ones (null, zero, full, random, urandom, tty …), each with its cgroup access */
  readonly devices: readonly DeviceInput[];
  /** extra device cgroup rules (`--device-cgroup-rule`), parsed by `parseDeviceRule` */
  readonly deviceRules: readonly LinuxDeviceCgroup[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** undefined = Docker's defaults (none when privileged); an empty list unmasks all */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** "default" = the built-in profile for the capabilities, "unconfined" = none; privileged is always unconfined */
  readonly seccomp: "default" | "unconfined" | Seccomp;
  /** path of the host's init to run as process 1, a static one; undefined = the command itself is process 1 */
  readonly init?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ProcessInput {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  /** command and arguments, without init */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: Process["user"];
  /** complete list, as `resolveCapabilities` makes it: CAP_… names */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly RlimitInput[];
  /** undefined = inherited: see `oomScore` */
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
}

/** A `--ulimit`: Docker's name without the RLIMIT_ prefix (`nofile`); -1 = unlimited. */
interface RlimitInput {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** "private" = a new one; "host" = the host's; otherwise the path of the namespace to join. */
export type NamespaceInput = "private" | "host" | { readonly path: string };

export interface NamespacesInput {
  readonly network: NamespaceInput;
  readonly pid: NamespaceInput;
  readonly ipc: NamespaceInput;
  readonly uts: NamespaceInput;
  /** Docker: "private" on cgroup v2, "host" on v1 unless asked */
  readonly cgroup: NamespaceInput;
  /** undefined = the host's; then the network namespace must belong to it, if it is no other container's */
  readonly user?: { readonly path: string };
}

/** One mount, as the OCI spec has it; `type` "bind" gets `rbind` unless `bind` is among the options. */
export type MountInput = Readonly<Omit<Mount, "options">> & { readonly options: readonly string[] };

export interface DeviceInput {
  readonly device: LinuxDevice;
  /** any of r, w, m */
  readonly access: string;
}

/** HostConfig's limits in its own units; undefined or 0 = not asked for (but `pids` and `memorySwap`: -1 = unlimited). */
export interface ResourcesInput {
  /** bytes */
  readonly memory?: number;
  /** bytes */
  readonly memoryReservation?: number;
  /** bytes, memory included; -1 = unlimited */
  readonly memorySwap?: number;
  /** 0–100; undefined = the host's */
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  /** billionths of a CPU; becomes quota and period */
  readonly nanoCpus?: number;
  readonly cpuShares?: number;
  /** microseconds */
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly cpuRealtimeRuntime?: number;
  readonly cpuRealtimePeriod?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number;
  readonly blkioWeight?: number;
  readonly blockIO?: Omit<NonNullable<LinuxResources["blockIO"]>, "weight">;
}
