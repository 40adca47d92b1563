import type { ApplyResult } from "../../../snapshots/worker/apply.ts";
import type { DigestResult } from "../contents/digest.ts";
import type { ListsRequest } from "../contents/explain-files.ts";
import type { FoundPackages } from "../contents/packages.ts";
import type { TreeTar } from "../tree-tar.ts";
import type { Stop } from "./stop.ts";

/** A tree as the worker takes it: filters as patterns, for functions do not cross threads. */
export interface TreeRequest {
  root: string;
  patterns: readonly string[];
  /** patterns of the tree's ignore file */
  ignore: readonly string[];
  /** patterns of `--exclude` */
  exclude: readonly string[];
  parents: boolean;
  /** files keep the owners they have in the tree (another stage, an image), which count then */
  owners?: boolean;
  /** files keep their extended attributes, which count then; those of a context stay behind: docker's client sends none */
  attributes?: boolean;
}

export interface TreeDigestRequest extends TreeRequest {
  statCache?: string;
  lists: string;
  stop?: Stop;
}

/** What a copy takes: from a tree by patterns, a single file under a name of its own, or text. */
export type CopyInput =
  | { kind: "tree"; tree: TreeRequest; unpack: boolean }
  | { kind: "file"; path: string; name: string; mode: number | undefined; unpack: boolean }
  | { kind: "text"; name: string; content: string };

export interface CopyRequest {
  inputs: readonly CopyInput[];
  /** folder of the new layer, and what is below it; undefined = nothing */
  upper: string;
  view?: string;
  /** absolute; ends in `/` where it is to be a folder */
  destination: string;
  /** links in the destination are followed within the view */
  follow: boolean;
  uid: number;
  gid: number;
  /** an owner was asked for: then the files of archives have it, too */
  chowns: boolean;
  chmod: string;
  latest?: number;
  /** folder for what is unpacked meanwhile */
  scratch: string;
  /** the layer is `upper` alone: its tar may be told beside it while it is written */
  tell?: boolean;
  /** what is told as the size counts regular files alone */
  plainSize?: boolean;
  /** `Seen.since` of the only source, which may change meanwhile */
  since?: number;
  stop?: Stop;
}

export interface CopyResult {
  files: number;
  bytes: number;
  /** the layer that `upper` is, where its tar was told; else it is to be read */
  told?: { layer: ApplyResult; sum: string };
}

export interface FolderRequest {
  upper: string;
  view?: string;
  path: string;
  uid: number;
  gid: number;
  latest?: number;
}

export interface UnpackRequest {
  session: number;
  /** folder that gets the archive's files; made */
  folder: string;
  bytesMax: number;
}

/** Calls of the build worker by name, and what each takes and gives. */
export interface BuildCalls {
  digest: { args: TreeDigestRequest; result: DigestResult };
  explain: { args: ListsRequest; result: { names: string[]; more: number } };
  copy: { args: CopyRequest; result: CopyResult };
  makeFolder: { args: FolderRequest; result: boolean };
  /** brings every time in a new layer's folder down to `latest`, seconds since the epoch */
  clampTimes: { args: { folder: string; latest: number }; result: unknown };
  unpack: { args: UnpackRequest; result: { files: number } };
  /** begins a tar of a tree, or of what it has besides `lower` (topmost first), for `read` */
  tar: { args: TreeTar & { session: number }; result: unknown };
  /** the next bytes of a tar; null at its end */
  read: { args: { session: number }; result: Uint8Array | null };
  readEnd: { args: { session: number }; result: unknown };
  feed: { args: { session: number; bytes: Uint8Array }; result: unknown };
  feedEnd: { args: { session: number; error?: string }; result: unknown };
  /** what package managers' records in a root file system name */
  packages: { args: { root: string }; result: FoundPackages };
  /** bytes of the files in a folder of ours; links are not followed */
  sizeOf: { args: { path: string }; result: number };
  /** deletes a folder of ours; never follows a link */
  removeTree: { args: { path: string }; result: unknown };
}
