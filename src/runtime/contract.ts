import type { Process, Spec } from "../types/runtime-spec.ts";
import type { LogInfo } from "./log-drivers/info.ts";
import type { LogDriverOptions, RemoteDriver } from "./log-drivers/options.ts";
import type { ResourcesInput } from "./spec/input.ts";

/**
 * Runtime: processes in containers. One conmon per container (and per exec) holds its terminal, its log and its exit
 * code, and outlives the engine; crun makes the container. The engine talks to conmon through its attach socket
 * (SOCK_SEQPACKET), its control fifo, and its exit files, which a watch reports.
 *
 * Life: `create` (process waits to begin) → `start` → … → exit reported by `onExit` → `delete`.
 * A container is named by its 64-hex id; an exec by its own 64-hex id.
 */
export interface ContainerProcess {
  id: string;
  /** folder for config.json, pid files, sockets: `<exec root>/containers/<id>` */
  bundle: string;
  spec: Spec;
  terminal: boolean;
  /** stdin is kept open for attach; else it is /dev/null */
  stdin: boolean;
  /**
   * stdin ends with its first client (`closeStdin`, or the engine's crash). Otherwise, and with a terminal, nothing ends
   * it while the process lives, and `closeStdin` does nothing.
   */
  stdinOnce?: boolean;
  /** file conmon writes (k8s-file format); undefined = no log is kept */
  logPath?: string;
  /** OCI runtime binary; undefined = the engine's default */
  runtime?: string;
  /** sources of mounts that are plain files on the data root, on which nobody mounts anything */
  ownFiles?: readonly string[];
}

/** A container that runs to its end under the engine alone, without a conmon: a step of a build. */
export interface StepProcess {
  /** 64 hex */
  id: string;
  spec: Spec;
  /** what it writes; a promise holds it back */
  output(stream: 1 | 2, bytes: Uint8Array): Promise<void> | void;
  /** ends it, and rejects with the reason once nothing of it is left */
  signal: AbortSignal;
}

export interface StepEnd {
  /** 0–255; 128+n when a signal ended it */
  exitCode: number;
  cpuMs: number;
  /** bytes; of its largest process */
  peakMemory: number;
}

export interface ExitReport {
  id: string;
  /** 0–255; 128+n when a signal ended it */
  exitCode: number;
  exitedAtNs: bigint;
  oomKilled: boolean;
  /** processes of it that the kernel ended for want of memory; absent = none, or not counted */
  oomKills?: number;
  /** nobody saw the end: the code is an assumption */
  lost?: boolean;
}

/**
 * What is attached to a process's streams. `output` is Docker's multiplexed framing, or raw bytes with a terminal; it
 * ends when the process has ended and all it wrote was delivered. Reading slowly holds the process back; `close` lets go.
 */
export interface Attachment {
  output: ReadableStream<Uint8Array>;
  /** resolves when the bytes are taken; after the process's stdin is closed it resolves and drops them */
  write(bytes: Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
  close(): void;
}

export interface AttachOptions {
  stdout: boolean;
  stderr: boolean;
}

export interface ExecProcess {
  id: string;
  containerId: string;
  process: Process;
  stdin: boolean;
  /** the container is in a user namespace of its own */
  remapped?: boolean;
}

export interface LogOptions {
  stdout: boolean;
  stderr: boolean;
  follow: boolean;
  /** lines from the end; undefined = all */
  tail?: number;
  sinceNs?: bigint;
  untilNs?: bigint;
  timestamps: boolean;
  /** `terminal` = raw bytes, else Docker's frames */
  terminal: boolean;
  /** prefix of each line for `details` */
  details?: string;
  signal?: AbortSignal;
}

export interface LogPolicy {
  /** bytes at which the log rotates; undefined = never */
  maxSize?: number;
  /** files kept, the live one included */
  maxFiles: number;
}

/** A log driver that hands a container's lines on to a service. */
export interface LogDriverRequest {
  info: LogInfo;
  driver: RemoteDriver;
  options: LogDriverOptions;
  logPath: string;
  /** file that keeps how far it got */
  positionPath: string;
  /** the service must be reached now, or it fails; else it is tried until it is */
  mustConnect: boolean;
}

export interface ProcessState {
  pid: number;
  running: boolean;
  /** frozen by `pause` */
  paused: boolean;
}

/** One counter of a block device; `operation` in the kernel's word ("Read", "read" …). */
export interface IoCount {
  major: bigint;
  minor: bigint;
  operation: string;
  value: bigint;
}

/** What a container's cgroup has used, from either version of the kernel's files; undefined = the kernel does not tell. */
export interface ResourceUsage {
  pids?: { current: bigint; limit?: bigint };
  /** times in nanoseconds */
  cpu: {
    total: bigint;
    user: bigint;
    kernel: bigint;
    perCpu?: bigint[];
    periods: bigint;
    throttledPeriods: bigint;
    throttled: bigint;
  };
  /** bytes; `limit` is at most what the host has; `details` in the kernel's names */
  memory?: {
    usage: bigint;
    peak?: bigint;
    failures: bigint;
    limit: bigint;
    details: Record<string, bigint>;
  };
  /** version 1 knows more than bytes; a list is empty where nothing was counted */
  io: { bytes: IoCount[]; operations?: IoCount[] };
}

/** as below /proc/<pid>/ns */
export type NamespaceKind = "ipc" | "net" | "pid" | "user" | "uts";

export interface HeldNamespace {
  path: string;
  close(): void;
}

export interface Runtime {
  /** Default OCI runtime ("crun" or "runc"), its version, and the cgroup layout in use. */
  readonly facts: RuntimeFacts;
  /** What to set as a spec's `cgroupsPath`: below the engine's own group, or the parent the user named. */
  cgroupPathFor(id: string, parent?: string): string;

  /** Says that `create` or `exec` will follow within milliseconds, so that the kernel can prepare meanwhile. */
  expectProcess(): void;

  /**
   * Runs a container to its end; nothing of it is left when this settles. It does not outlive the engine: the next start
   * sweeps what a crash left. Rejects with the runtime's sentence where the process could not be started.
   */
  run(step: StepProcess): Promise<StepEnd>;

  /** Makes the container; its process waits. Returns the pid. Failures carry the runtime's own sentence. */
  create(container: ContainerProcess): Promise<number>;
  start(id: string): Promise<void>;
  /** Signal to the first process; with `all`, to every process of the container. `notFound` when it is gone. */
  kill(id: string, signal: number, options?: { all?: boolean }): Promise<void>;
  /** A namespace of the container's first process, by a path that can mean no other, also when it ends meanwhile. */
  holdNamespace(id: string, kind: NamespaceKind): HeldNamespace;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Removes what is left of it (cgroup, runtime state, bundle); kills what still runs. Idempotent.
   * After it no exit is reported. */
  delete(id: string): Promise<void>;
  /** What is there, from the kernel and conmon's files, not from memory: for recovery. */
  inspect(id: string): Promise<ProcessState | ExitReport | undefined>;
  /** Calls back once per exit of a container's first process, also for exits while no engine ran (after `adopt`). */
  onExit(listener: (report: ExitReport) => void): void;
  /** After an engine restart: watches a container again. */
  adopt(container: {
    id: string;
    bundle: string;
    terminal: boolean;
    stdin: boolean;
    stdinOnce?: boolean;
    logPath?: string;
  }): Promise<void>;
  /** What the running container has used so far. */
  usage(id: string): Promise<ResourceUsage>;
  /** Changes limits of the running container: those that are given. On failure all are as before. */
  update(id: string, limits: ResourcesInput): Promise<void>;
  /** pids in the container's cgroup */
  pids(id: string): Promise<number[]>;

  attach(id: string, options: AttachOptions): Promise<Attachment>;
  resize(id: string, size: { height: number; width: number }): Promise<void>;

  /** Starts a process in a running container. Resolves when it runs; rejects with the runtime's sentence. */
  exec(
    exec: ExecProcess,
    attach: AttachOptions | undefined,
  ): Promise<{ pid: number; attachment?: Attachment; exit: Promise<number> }>;
  resizeExec(execId: string, size: { height: number; width: number }): Promise<void>;

  /** Reads a container's log (live file and rotated ones). `follow` ends when `ended` resolves and all is told. */
  logs(logPath: string, options: LogOptions, ended: Promise<unknown>): ReadableStream<Uint8Array>;
  /** Throws a container's log away, whether it runs or not; what is written from then on is kept. */
  clearLogs(id: string, logPath: string): Promise<void>;
  /** Keeps a running container's log within its policy, until its exit. */
  rotate(id: string, logPath: string, policy: LogPolicy): void;

  /**
   * Opens a container's log driver; what it returns is called when the process is there, and hands on what is in the log
   * and what comes, until `ended` resolves and all is told. Each line arrives at least once: an engine that comes later
   * goes on where this one ended.
   */
  openLogDriver(request: LogDriverRequest): Promise<(ended: Promise<unknown>) => void>;
  /** Before an ended container's log is deleted: waits that long until all was handed on, then gives the rest up. */
  drainLogDriver(id: string, timeoutMs: number): Promise<void>;

  /** At start: removes runtime state, cgroups and files of containers not in `alive`. */
  sweep(alive: ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}

export interface RuntimeFacts {
  name: string;
  path: string;
  version: string;
  conmonVersion: string;
  cgroupVersion: "1" | "2";
  /** "v1", "v2" or "mixed": how the hierarchies are mounted */
  cgroupLayout: "v1" | "v2" | "mixed";
  /** whether a weight of block I/O can be set */
  blkioWeight: boolean;
  /** the AppArmor profile of containers that ask for none; undefined = none, or no AppArmor */
  apparmor: string | undefined;
  /** the engine's own oom_score_adj, proc(5), which what it starts inherits */
  oomScore: number;
  warnings: string[];
}
