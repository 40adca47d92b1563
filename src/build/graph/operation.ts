import type { GitSource } from "../dockerfile/apply/git-source.ts";
import type { Vertex } from "./vertex.ts";

/**
 * What a step does to a root file system: complete values, nothing left to expand or to look up but contents. `base` is
 * the step whose result it works on; undefined = an empty root (`FROM scratch`).
 */
export type Operation = ImageOperation | RunOperation | CopyOperation | WorkdirOperation | MergeOperation;

/** The layers of an image that is already resolved. */
interface ImageOperation {
  kind: "image";
  /** as written, familiar */
  reference: string;
  imageId: string;
  layers: readonly string[];
}

export interface RunOperation {
  kind: "run";
  base: Vertex | undefined;
  args: readonly string[];
  /** `NAME=value`; part of the key */
  env: readonly string[];
  /** the same, but no part of the key: proxies */
  hiddenEnv: readonly string[];
  cwd: string;
  user: string;
  network: "default" | "none" | "host";
  insecure: boolean;
  mounts: readonly RunMount[];
  /** files the command reads: here documents, by absolute path */
  files: readonly InlineFile[];
  platform: string;
}

interface InlineFile {
  path: string;
  content: string;
  mode: number;
}

export type RunMount =
  | { type: "bind"; target: string; source: string; from: TreeSource; writable: boolean }
  | {
      type: "cache";
      target: string;
      id: string;
      sharing: "shared" | "private" | "locked";
      readOnly: boolean;
      /** what a new cache begins with */
      from: TreeSource | undefined;
      source: string;
      mode: number;
      uid: number;
      gid: number;
    }
  /** a VOLUME in a classic build: what is below it begins as the base has it, and its changes are lost */
  | { type: "volume"; target: string; from: TreeSource }
  | { type: "tmpfs"; target: string; size: number | undefined }
  | {
      type: "secret";
      id: string;
      target: string | undefined;
      env: string | undefined;
      required: boolean;
      mode: number;
      uid: number;
      gid: number;
    }
  | { type: "ssh"; id: string; target: string; required: boolean; mode: number; uid: number; gid: number };

/** A tree to copy or bind from. */
export type TreeSource =
  /** `name` "" = the main context, else a named one */
  | { kind: "context"; name: string }
  /** undefined = scratch */
  | { kind: "vertex"; vertex: Vertex | undefined };

export type CopySource =
  /** `parents`: names are kept as they stand behind `/./` of the pattern */
  | { kind: "tree"; tree: TreeSource; pattern: string; parents: boolean; unpack: boolean }
  | { kind: "inline"; name: string; content: string }
  | { kind: "url"; url: string; filename: string; checksum: string | undefined; unpack: boolean }
  | { kind: "git"; git: GitSource };

export interface CopyOperation {
  kind: "copy";
  base: Vertex | undefined;
  sources: readonly CopySource[];
  /** absolute; ends in `/` where the user wrote a folder */
  destination: string;
  /** as written and expanded, "" = 0:0 */
  chown: string;
  /** octal or symbolic, "" = as the source */
  chmod: string;
  link: boolean;
  exclude: readonly string[];
}

/** Makes a folder, owned by the user of that moment. */
export interface WorkdirOperation {
  kind: "workdir";
  base: Vertex | undefined;
  path: string;
  user: string;
}

/** The layers of `upper` (made on nothing) over those of `base`: what `COPY --link` becomes. */
interface MergeOperation {
  kind: "merge";
  base: Vertex | undefined;
  upper: Vertex;
}
