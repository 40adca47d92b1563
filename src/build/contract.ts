import type { Repository } from "../distribution/contract.ts";
import type { Image } from "../images/contract.ts";
import type { WireBuildLog, WireOutline, WireTarget } from "../types/local-build.ts";
import type { ImageConfig } from "../types/oci.ts";

/**
 * Builds: a Dockerfile and its context become an image.
 *
 * Dockerfile → stages (`dockerfile/`) → content-addressed graph (`graph/`) → solver → operations (`operations/`), each
 * stage a value that can be printed. The front doors (classic API, BuildKit's gRPC, `berth build`) make one
 * `BuildRequest` and turn the one stream of `BuildEvent` into their own words; none of them builds.
 *
 * Nothing of a build is visible before its end: intermediate results are cache entries, and tags are set in the
 * transaction that adds the image. Errors: `EngineError` of kind `invalid` for a wrong Dockerfile (file, line, the line
 * itself, a suggestion), else the failed step's own sentence; `BuildRun.result` rejects with it, as a `BuildError`
 * (`failure.ts`) where it belongs to lines of the Dockerfile.
 */
export interface Builds {
  /** Starts at once; the caller reads `events` to its end or aborts by `request.signal`. */
  build(request: BuildRequest): BuildRun;
  /** Reads, expands and checks a Dockerfile without running it: `--check`. */
  check(request: BuildRequest): Promise<BuildWarning[]>;
  /** What a target takes: `--call outline`. */
  outline(request: BuildRequest): Promise<BuildOutline>;
  /** The stages that `--target` may name: `--call targets`. */
  targets(request: BuildRequest): Promise<BuildTarget[]>;
  /** Unpacks a (compressed) tar as a context; the caller closes it once its build is over. */
  unpack(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<UnpackedContext>;
  /**
   * The same of a git repository, or of a URL of a tar or of a Dockerfile alone. `agent`: socket of the one agent whose keys
   * serve for git, instead of those of the engine's user.
   */
  fetchContext(url: string, signal: AbortSignal, agent?: string): Promise<UnpackedContext>;
  /** What was built, newest first. */
  history(): BuildHistoryRecord[];
  /** What the steps of a build printed, as far as it was kept: its last megabyte. */
  logs(ref: string): Promise<BuildHistoryLog[]>;
  /** Forgets a build; false where it is not known. */
  forget(ref: string): boolean;
  cacheUsage(): CacheRecord[];
  /** Deletes cache entries that no running build holds, least recently used first. */
  pruneCache(options: CachePruneOptions): Promise<{ deleted: string[]; bytes: number }>;
}

/** These three go to a client as they are. */
export type BuildOutline = WireOutline;
export type BuildTarget = WireTarget;
export type BuildHistoryLog = WireBuildLog;

export interface BuildRun {
  /** names the build in events and history */
  ref: string;
  events: AsyncIterable<BuildEvent>;
  result: Promise<BuildResult>;
}

/** An image that stands in for FROM and `--from`; of a layout, where it is: a folder of this machine, or the client's. */
export interface NamedImage {
  image: string;
  layout?: { folder: string } | { store: Repository };
}

export interface BuildRequest {
  /** the client's name for the build; made up when absent */
  ref?: string;
  dockerfile: { name: string; text: string };
  /** what COPY and ADD read without `--from`; undefined = empty */
  context: BuildContext | undefined;
  /** `--build-context name=…`: a folder, or an image reference that stands in for FROM and `--from` */
  namedContexts: ReadonlyMap<string, { context: BuildContext } | NamedImage>;
  target?: string;
  buildArgs: ReadonlyMap<string, string>;
  labels: ReadonlyMap<string, string>;
  annotations: ReadonlyMap<string, string>;
  /** "linux/amd64" …; empty = the host's */
  platforms: string[];
  /** familiar references */
  tags: string[];
  /** true = all steps run; a list = those stages' steps run */
  noCache: boolean | string[];
  /** resolve base images at their registry again */
  pull: boolean;
  networkMode: "default" | "none" | "host" | string;
  extraHosts: string[];
  secrets: SecretSource;
  ssh: SshSource;
  /** limits of the steps' processes, as in a container's HostConfig */
  resources: BuildResources;
  outputs: BuildOutput[];
  cacheFrom: CachePlace[];
  cacheTo: CachePlace[];
  attestations: { provenance?: Provenance; sbom?: Sbom };
  squash: boolean;
  /** what a RUN that failed has written is kept as an image, to be looked at (`BuildError.kept`) */
  keepsFailed?: boolean;
  /** as Docker's classic builder does it, told step by step (`build/classic/`) */
  classic?: boolean;
  sourceDateEpoch?: number;
  /** entitlements: "network.host", "security.insecure" */
  allow: ReadonlySet<string>;
  /** authentication for a registry host, asked when needed */
  registryAuth(host: string): Promise<RegistryCredentials | undefined>;
  signal: AbortSignal;
}

/** What `--provenance` asks for. */
export interface Provenance {
  /** max: also values of arguments, ids of secrets, and the Dockerfile */
  mode: "min" | "max";
  /** of SLSA's vocabulary */
  version: "v0.2" | "v1";
  /** "" = none is told */
  builderId: string;
  /** the user says that it is */
  reproducible: boolean;
}

/** What `--sbom` asks for: there is one scanner, the engine's own. */
export type Sbom = Readonly<Record<string, never>>;

/** Where cache is read from or written to, `attributes` being the other keys of the option (`ref`, `mode` …). */
export interface CachePlace {
  /** "registry", "local", "inline" */
  type: string;
  attributes: Readonly<Record<string, string>>;
  /** of `local`: where the client's folder is, when it is on this machine */
  folder?: string;
  /** of `local`: takes a tar, which the client unpacks into its folder */
  sink?: OutputSink;
  /** of `local`: the client's folder as it offers it */
  store?: Repository;
}

export interface RegistryCredentials {
  username?: string;
  password?: string;
  identityToken?: string;
  registryToken?: string;
}

/**
 * A tree of files to copy from. `open` makes it a folder on this machine, by reading in place (`berth build`), by
 * unpacking a tar (classic), or by asking the client for what changed (BuildKit's file sync).
 */
export interface BuildContext {
  open(need: ContextNeed): Promise<OpenContext>;
}

/** A context that lies in a folder of the engine's own. */
export interface UnpackedContext {
  root: string;
  close(): Promise<void>;
}

export interface ContextNeed {
  /** paths or patterns that COPY and ADD name; undefined = all */
  include?: string[];
  signal: AbortSignal;
  /** bytes received so far, for the "transferring context" line */
  progress?: (bytes: number) => void;
}

export interface OpenContext {
  /** folder that holds at least what was asked for */
  root: string;
  /** patterns of the ignore file that apply (order matters, `!` re-includes); the folder may hold what they exclude */
  ignore: string[];
  /** somebody may change files in it while the build reads them: a folder of the user's, read in place */
  live?: boolean;
  /** lets go of the folder; idempotent */
  close(): Promise<void>;
}

export interface SecretSource {
  /** undefined = the client has none of that id */
  get(id: string): Promise<Uint8Array | undefined>;
}

export interface SshSource {
  /**
   * A unix socket that speaks the agent protocol while the step runs; undefined = none of that id. Its owner and mode
   * become the step's, unless it is `foreign` (the user's own): then the step gets one that leads to it.
   */
  open(id: string): Promise<{ path: string; foreign?: boolean; close(): Promise<void> } | undefined>;
}

export interface BuildResources {
  memory?: number;
  memorySwap?: number;
  cpuShares?: number;
  cpuPeriod?: number;
  cpuQuota?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  shmSize?: number;
  ulimits: { Name: string; Soft: number; Hard: number }[];
  cgroupParent?: string;
}

/** `attributes` are the keys of `-o` (reference: `name`, `push`, `dest` …). */
export type BuildOutput =
  | { type: "image"; attributes: Record<string, string> }
  /** a tar stream: docker archive, OCI layout, or plain files */
  | { type: "docker" | "oci" | "tar"; attributes: Record<string, string>; sink: OutputSink }
  /** an OCI layout into a folder of the client's, which writes the layout's index itself (`tar=false`) */
  | { type: "oci"; attributes: Record<string, string>; store: Repository }
  /** files into a folder of the client's */
  | { type: "local"; attributes: Record<string, string>; sink: FolderSink }
  | { type: "cacheonly"; attributes: Record<string, string> };

export interface OutputSink {
  write(bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface FolderSink {
  /** copies the tree below `root` (a folder of this machine) to the client; `prefix` is `linux_amd64/` when split */
  copy(root: string, prefix: string): Promise<void>;
}

/**
 * Progress, in BuildKit's terms: a *vertex* is a step as shown to the user, a *status* something that counts up within
 * it. Times are milliseconds since the epoch. A vertex is told again each time it changes.
 */
export type BuildEvent =
  | { kind: "vertex"; vertex: BuildVertex }
  | { kind: "status"; status: BuildStatus }
  | { kind: "log"; vertex: string; stream: 1 | 2; data: Uint8Array; time: number }
  | { kind: "warning"; warning: BuildWarning }
  /** of classic builds alone */
  | { kind: "classic"; classic: ClassicEvent };

/** What Docker's classic builder tells, in the order of the Dockerfile; the output of a RUN comes in between. */
export type ClassicEvent =
  /** `name` is the instruction's, lower case */
  | { at: "begin"; number: number; total: number; name: string; text: string }
  /** ONBUILD instructions of the base follow, each with a `done` */
  | { at: "triggers"; count: number }
  | { at: "trigger"; name: string }
  | { at: "note"; text: string }
  /** `cached`: nothing was done for it */
  | { at: "done"; name: string; cached: boolean }
  /** what an instruction came to; "" = nothing yet */
  | { at: "image"; id: string }
  /** what a stage came to */
  | { at: "stage"; id: string };

export interface BuildVertex {
  /** `sha256:…`, the same for the same step of the same build */
  digest: string;
  inputs: string[];
  /** 1-based, of its instruction in the Dockerfile */
  line?: number;
  /** "[build 2/4] RUN make" */
  name: string;
  started?: number;
  completed?: number;
  cached: boolean;
  /** never needed: not run, told apart from cached */
  skipped?: boolean;
  error?: string;
  /** why it ran: what differed from the nearest earlier build; told with the started vertex */
  reasons?: string[];
  /** told with the completed vertex */
  usage?: { cpuMs: number; peakMemory: number; bytesAdded: number };
}

export interface BuildStatus {
  /** what counts: "transferring context:", a layer's digest … */
  id: string;
  vertex: string;
  current: number;
  /** 0 = unknown */
  total: number;
  started: number;
  completed?: number;
}

export interface BuildWarning {
  rule: string;
  /** "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals" */
  short: string;
  detail: string[];
  url: string;
  /** 1-based lines in the Dockerfile */
  lines: { start: number; end: number }[];
  dockerfile: string;
}

export interface BuildResult {
  /** per platform, as asked */
  images: { platform: string; image: Image; config: ImageConfig }[];
  /** what `exporter response` says: containerimage.digest, containerimage.config.digest, image.name … */
  response: Record<string, string>;
  /** how each platform's result was made, as SLSA 0.2 has it: for whoever asked for the build, whatever is attested */
  provenance?: ReadonlyMap<string, object>;
}

/** A build as it is remembered; times are milliseconds since the epoch. */
export interface BuildHistoryRecord {
  ref: string;
  dockerfile: string;
  target: string | undefined;
  platforms: string[];
  /** names alone */
  buildArgs: string[];
  tags: string[];
  startedAt: number;
  completedAt: number | undefined;
  status: "running" | "completed" | "error" | "canceled";
  error: string | undefined;
  /** ids */
  images: string[];
  steps: {
    name: string;
    startedAt: number | undefined;
    completedAt: number | undefined;
    cached: boolean;
    error: string | undefined;
    reasons: string[] | undefined;
    usage: BuildVertex["usage"];
  }[];
}

export interface CacheRecord {
  id: string;
  parents: string[];
  type: "regular" | "source.local" | "exec.cachemount" | "source.git.checkout" | "frontend" | "internal";
  description: string;
  inUse: boolean;
  shared: boolean;
  size: number;
  createdAt: number;
  lastUsedAt: number | undefined;
  usageCount: number;
}

export interface CachePruneOptions {
  all: boolean;
  /** bytes to keep at most */
  keepBytes?: number;
  /** only what was not used for that long, ms */
  unusedForMs?: number;
  filters: Map<string, string[]>;
}
