/**
 * `POST /berth/build`: a build whose client sits on the engine's machine. Nothing of the context is sent: the engine
 * reads it in place. The request is one JSON object, behind which, with `upload`, a tar comes on a line of its own
 * (`uploadType`); the answer is a multiplexed stream: channel 1 carries JSON lines
 * (`LocalBuildMessage`), channel 4 + n the bytes of output n.
 */
export interface LocalBuildRequest {
  /** "build" runs; the others answer about the Dockerfile */
  call: "build" | "check" | "outline" | "targets";
  /** without a text: one that the engine fetches, or finds in the context, and then tells */
  dockerfile: { name: string; text?: string; url?: string };
  /** `url`: a git repository, an archive or a Dockerfile alone, which the engine fetches; `upload`: the tar */
  context?: LocalFolder | { url: string } | { upload: boolean };
  /** `url`: a git repository or an archive, which the engine fetches; `layout`: `PATH[:TAG][@DIGEST]` in an OCI layout */
  namedContexts: Record<string, LocalFolder | { image: string } | { url: string } | LocalLayout>;
  target?: string;
  buildArgs: Record<string, string>;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  platforms: string[];
  tags: string[];
  noCache: boolean;
  noCacheStages: string[];
  pull: boolean;
  network: string;
  extraHosts: string[];
  /** base64, by id */
  secrets: Record<string, string>;
  /** sockets of agents, by id */
  ssh: Record<string, string>;
  resources: LocalBuildResources;
  outputs: { type: string; attributes: Record<string, string> }[];
  cacheFrom: Record<string, string>[];
  /** what is written to a `local` one comes on the channels behind the outputs', as a tar */
  cacheTo: Record<string, string>[];
  /** folders of `local` caches that are there, by the path in `src` and `dest` */
  cacheFolders: Record<string, LocalFolder>;
  /** options of the attestations that are asked for, by type: `{"provenance": "mode=max"}` */
  attest: Record<string, string>;
  squash: boolean;
  /** what a step that fails has written becomes an image */
  keepsFailed: boolean;
  allow: string[];
  /** by registry host */
  auth: Record<string, LocalBuildCredentials>;
}

/** An image in an OCI layout, which is this folder. */
export interface LocalLayout extends LocalFolder {
  layout: string;
}

/** A folder as the client sees it; the engine refuses it (409) where it sees another there. */
export interface LocalFolder {
  path: string;
  device: number;
  inode: number;
  /** patterns of the ignore file that applies */
  ignore: string[];
}

export interface LocalBuildCredentials {
  username?: string;
  password?: string;
  identityToken?: string;
  registryToken?: string;
}

export interface LocalBuildResources {
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

/** content type of a request with a tar behind it */
export const uploadType = "application/vnd.berth.build";

/** first channel that carries an output's bytes */
export const firstOutputChannel = 4;

/** Times are milliseconds since the epoch. A vertex is told again whenever it changes. */
export type LocalBuildMessage =
  | { kind: "vertex"; vertex: WireVertex }
  | { kind: "status"; status: WireStatus }
  /** `data` is base64 */
  | { kind: "log"; vertex: string; stream: 1 | 2; data: string; time: number }
  | { kind: "warning"; warning: WireWarning }
  /** before anything else: the one that the client does not have */
  | { kind: "dockerfile"; name: string; text: string }
  /** the last one: success … */
  | {
      kind: "result";
      ref: string;
      response: Record<string, string>;
      imageIds: string[];
      /** how each platform's result was made */
      provenance?: Record<string, object>;
    }
  | { kind: "outline"; outline: WireOutline }
  | { kind: "targets"; targets: WireTarget[] }
  /** … or why not */
  | WireFailure;

export interface WireFailure {
  kind: "error";
  message: string;
  lines: WireLines[];
  vertex?: string;
  exitCode?: number;
  /** image of what the failed step had written */
  kept?: string;
}

export interface WireLines {
  start: number;
  end: number;
}

export interface WireVertex {
  digest: string;
  inputs: string[];
  name: string;
  started?: number;
  completed?: number;
  cached: boolean;
  skipped?: boolean;
  error?: string;
  reasons?: string[];
  usage?: { cpuMs: number; peakMemory: number; bytesAdded: number };
}

export interface WireStatus {
  id: string;
  vertex: string;
  current: number;
  total: number;
  started: number;
  completed?: number;
}

export interface WireWarning {
  rule: string;
  short: string;
  detail: string[];
  url: string;
  lines: WireLines[];
  dockerfile: string;
}

/** `description` is the comment above the stage or ARG whose first word is its name (stages: any text after it). */
export interface WireOutline {
  /** of the target; "" where the stage has none */
  name: string;
  description: string;
  args: { name: string; description: string; value?: string | undefined; line: number }[];
  secrets: { name: string; required: boolean; line: number }[];
  ssh: { name: string; required: boolean; line: number }[];
}

export interface WireTarget {
  name: string;
  description: string;
  default: boolean;
  /** as FROM names it */
  base: string;
  platform: string;
  line: number;
}

/** `GET /berth/build/history`, newest first; times are milliseconds since the epoch. Values of arguments are not kept. */
export interface WireBuildRecord {
  ref: string;
  dockerfile: string;
  target?: string | undefined;
  platforms: string[];
  buildArgs: string[];
  tags: string[];
  startedAt: number;
  completedAt?: number | undefined;
  status: "running" | "completed" | "error" | "canceled";
  error?: string | undefined;
  images: string[];
  steps: WireBuildStep[];
}

export interface WireBuildStep {
  name: string;
  startedAt?: number | undefined;
  completedAt?: number | undefined;
  cached: boolean;
  error?: string | undefined;
  reasons?: string[] | undefined;
  usage?: WireVertex["usage"] | undefined;
}

/** `GET /berth/build/history/{ref}/logs`: what its steps printed, the last megabyte of it. */
export interface WireBuildLog {
  /** index in the record's `steps` */
  step: number;
  stream: 1 | 2;
  time: number;
  /** base64 */
  data: string;
}
