import type { IdMap } from "../lib/users/id-map.ts";
import type { SandboxState } from "../network/contract.ts";
import type {
  ContainerConfig,
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerSummary,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  EndpointSettings,
  ExecCreateRequest,
  ExecInspect,
  FileChange,
  HostConfig,
  MountPoint,
  StatsResponse,
  TopResponse,
  WaitResponse,
} from "../types/api.ts";
import type { ImageConfig } from "../types/oci.ts";
import type { LocalSource } from "./archive/local-source.ts";

/**
 * Containers: the use cases, a file each. A container is a fixed `spec` (what was asked, made complete once at create)
 * and a `state` (its life), both one row in the database; memory holds the same values and is changed in the same step.
 *
 *     created → running ⇄ paused → exited → (running …) → removing → gone
 *                   └→ restarting → running
 *
 * Operations on one container run one at a time, in the order they came (`wait`, `attach`, `logs` and reads do not queue).
 */
export interface ContainerSpec {
  /** image as the user named it */
  imageName: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** what the user asked of each network, by name */
  networks: Record<string, Partial<EndpointSettings>>;
  mounts: ResolvedMount[];
  /** `--link` on the default bridge: other containers by an alias */
  links?: ContainerLink[];
  /** path and arguments after entrypoint and command are joined */
  path: string;
  args: string[];
  /** the image's platform and layers at create, so that a container outlives its image's name */
  platform: string;
  layers: string[];
  imageConfig: ImageConfig;
}

/** Another container under a name of this one's own. `name` is what it was called at create, for when it is gone. */
export interface ContainerLink {
  containerId: string;
  name: string;
  alias: string;
}

/** A mount with everything decided; `point` is how it is told. */
export interface ResolvedMount {
  point: MountPoint;
  options: string[];
  /** volume name when it is one, to fill it at first start unless `nocopy` */
  volume?: string;
  /** a part of the volume or image only */
  subpath?: string;
  /** a read-only view of an image, by a snapshot of its own; goes with the container */
  image?: { id: string; layers: string[]; key: string };
  copyUp: boolean;
  /** anonymous: goes with the container on `rm -v` and `--rm` */
  anonymous: boolean;
  tmpfs?: { options: string[] };
  /** of a bind: owners on disk are shown as others */
  idMap?: string;
}

/** A network as the container knew it last. */
export interface KnownNetwork {
  /** "" = it has not been in it yet */
  id: string;
  dnsNames: string[] | null;
}

/** For whom the engine sends a signal: a client's call, or its own watch over an unhealthy container. */
export type Sender = "stop" | "restart" | "kill" | "remove" | "health";

/** Why a life ended, as the row keeps it; the sentence is made of it when it is told. */
export interface Ended {
  /** `lost`: nobody saw the end, as when the machine went down */
  cause: "exit" | "signal" | "oom" | "lost";
  /** who asked for its end, where that was one of ours */
  by?: Sender;
  /** the signals sent for that, in order; or the one it must have got from elsewhere */
  signals?: number[];
  /** processes the kernel has ended for want of memory, as its control group counts them */
  oomKills?: number;
}

export interface ContainerLife {
  status: "created" | "starting" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  pid: number;
  exitCode: number;
  error: string;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
  restartCount: number;
  /** a user stopped it: `unless-stopped` and `always` leave it so */
  stoppedByUser: boolean;
  /** paused for work of the engine's own, such as a commit: should that be cut short, the next engine lets it run on */
  still?: true;
  /** why the last run ended; it stays until the next one has ended */
  ended?: Ended;
  sandbox?: SandboxState;
  /** of the user namespace it runs in; absent = the host's */
  remap?: IdMap;
  /** by name; it outlives the sandbox */
  networks?: Record<string, KnownNetwork>;
}

export interface CreateRequest {
  name?: string;
  platform?: string;
  body: ContainerCreateRequest;
}

export interface ListRequest {
  all: boolean;
  limit?: number;
  size: boolean;
  /** with our own `Reason` */
  why?: boolean;
  filters: Map<string, string[]>;
}

/** `healthy` is our own: until its check passes, or, without one, until it runs; an `Error` tells why it never will. */
export type WaitCondition = "not-running" | "next-exit" | "removed" | "healthy";

export interface AttachRequest {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  stream: boolean;
  logs: boolean;
  detachKeys?: string;
}

/** A client's end of an attach or exec: see runtime `Attachment`; detach keys are already taken out of `write`. */
export interface Session {
  terminal: boolean;
  output: ReadableStream<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  closeStdin(): Promise<void>;
  close(): void;
  /** of an exec without a terminal; known when its output is over */
  exitCode?(): number | null;
}

export interface LogsRequest {
  stdout: boolean;
  stderr: boolean;
  follow: boolean;
  tail?: number;
  sinceNs?: bigint;
  untilNs?: bigint;
  timestamps: boolean;
  details: boolean;
  signal?: AbortSignal;
}

export interface CommitRequest {
  /** familiar name for the image; undefined = none */
  reference?: string;
  author: string;
  message: string;
  /** Dockerfile instructions to apply to its configuration */
  changes: string[];
  pause: boolean;
  /** what is to stand before the container's own configuration, as an image's user's does before the image's */
  config?: Partial<ContainerConfig>;
}

/** What a path in a container names, as Docker's `X-Docker-Container-Path-Stat` tells it. */
export interface PathStat {
  name: string;
  size: number;
  /** Go's FileMode bits */
  mode: number;
  /** RFC 3339 */
  mtime: string;
  /** where a link leads once all are followed; "" for anything else */
  linkTarget: string;
}

export interface ExtractArchive {
  /** the folder to extract in */
  path: string;
  noOverwriteDirNonDir: boolean;
  /** files get the container's user as owner, where it has one */
  copyUidGid: boolean;
  /** a tar, compressed or not */
  source: AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
}

/** `put` of a file or folder that the engine finds by itself. */
export interface CopyLocal extends Omit<ExtractArchive, "source"> {
  source: LocalSource;
}

export interface Containers {
  /** Says that a process may be asked for within milliseconds, so that the kernel can prepare meanwhile. */
  expectProcess(): void;
  create(request: CreateRequest): Promise<ContainerCreateResponse>;
  /** `entrypoint`: program and arguments to run this once, on the same files, in place of the container's own. */
  start(idOrName: string, options?: { entrypoint?: string[] }): Promise<void>;
  /** `timeoutS` -1 waits for ever; undefined = the container's own, else 10. Throws `notModified` when not running. */
  stop(idOrName: string, options: { signal?: string; timeoutS?: number }): Promise<void>;
  restart(idOrName: string, options: { signal?: string; timeoutS?: number }): Promise<void>;
  kill(idOrName: string, signal: string): Promise<void>;
  /** `still`: for work of the engine's own; an engine that finds it so after a crash lets it run on. */
  pause(idOrName: string, options?: { still: boolean }): Promise<void>;
  unpause(idOrName: string): Promise<void>;
  remove(idOrName: string, options: { force: boolean; volumes: boolean; link?: boolean }): Promise<void>;
  rename(idOrName: string, name: string): Promise<void>;
  /** Joins a network: at once where it runs, else when it starts. */
  connect(idOrName: string, network: string, endpoint: Partial<EndpointSettings>): Promise<void>;
  /** `force`: also from a network, or of a container, that is gone. */
  disconnect(idOrName: string, network: string, options: { force: boolean }): Promise<void>;
  /** Throws at once where there is no such container; `done` resolves at the condition. */
  wait(idOrName: string, condition: WaitCondition, signal: AbortSignal): { done: Promise<WaitResponse> };
  list(request: ListRequest): Promise<ContainerSummary[]>;
  /** `why`: with our own `State.Ended`, which other clients do not expect. */
  inspect(idOrName: string, options: { size: boolean; why?: boolean }): Promise<ContainerInspect>;
  attach(idOrName: string, request: AttachRequest): Promise<Session>;
  resize(idOrName: string, size: { height: number; width: number }): Promise<void>;
  logs(idOrName: string, request: LogsRequest): { terminal: boolean; output: ReadableStream<Uint8Array> };
  /** Throws its log away; what it writes from then on is kept. */
  clearLogs(idOrName: string): Promise<void>;
  /** What the container changed in its image's files; null = nothing. */
  changes(idOrName: string): Promise<FileChange[] | null>;
  top(idOrName: string, psArgs: string): Promise<TopResponse>;
  stats: {
    /** Resolves after a second, which lies between its two samples; `oneShot` = one sample, at once. */
    once(idOrName: string, options: { oneShot: boolean }): Promise<StatsResponse>;
    /** A sample each second until the container is removed or `signal` aborts. Throws at once where there is none. */
    follow(idOrName: string, signal: AbortSignal): AsyncIterable<StatsResponse>;
  };
  /** New limits and restart policy, at once where it runs. */
  update(idOrName: string, request: ContainerUpdateRequest): Promise<ContainerUpdateResponse>;
  /** Makes an image of it; its id. */
  commit(idOrName: string, request: CommitRequest): Promise<string>;
  /** A container's files, with its volumes and binds, whether it runs or not. Links never lead out of it. */
  archive: {
    stat(idOrName: string, path: string): Promise<PathStat>;
    get(idOrName: string, path: string): Promise<{ stat: PathStat; tar: ReadableStream<Uint8Array> }>;
    put(idOrName: string, request: ExtractArchive): Promise<void>;
    /** `conflict` where the path is another file to the engine than to the caller */
    copyLocal(idOrName: string, request: CopyLocal): Promise<{ bytes: number }>;
    /** A folder of the host's, as a volume's; `release` is called when the stream is over. */
    getFolder(folder: string, release: () => void): Promise<ReadableStream<Uint8Array>>;
    putFolder(folder: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  };
  /** Its root as a tar, without what is mounted over it. */
  export(idOrName: string): Promise<ReadableStream<Uint8Array>>;
  exec: {
    create(idOrName: string, request: ExecCreateRequest): Promise<{ Id: string }>;
    /** Detached: resolves with undefined once it runs. */
    start(
      execId: string,
      options: { detach: boolean; tty: boolean; consoleSize?: [number, number] | null },
    ): Promise<Session | undefined>;
    inspect(execId: string): ExecInspect;
    resize(execId: string, size: { height: number; width: number }): Promise<void>;
  };
  /** Adds and takes away published ports (at once), variables and mounts (by a restart, where it runs): our own. */
  reconfigure(idOrName: string, body: unknown): Promise<{ Restarted: boolean }>;
  /** For images: who uses one; for volumes: who names one. */
  usersOfImage(imageId: string): { containerId: string; running: boolean }[];
  usersOfVolume(name: string): string[];
  /** Part of the volume's rename, in its transaction. */
  renameVolume(from: string, to: string, path: string): void;
  /** Ids whose processes live now. */
  alive(): ReadonlySet<string>;
  counts(): { total: number; running: number; paused: number; stopped: number };
  /** At start: finds every container again, tells exits that happened meanwhile, restarts what its policy asks. */
  recover(): Promise<void>;
  /** At stop: leaves containers running (they outlive the engine) and ends timers and sessions. */
  close(): Promise<void>;
}
