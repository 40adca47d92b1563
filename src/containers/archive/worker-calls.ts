import type { IdMap } from "../../lib/users/id-map.ts";
import type { ViewMount } from "../../system/files/root-view.ts";
import type { PathStat } from "../contract.ts";
import type { ExtractOptions } from "./extract.ts";
import type { LocalSource } from "./local-source.ts";

/** The container's files as the archive worker is to see them. */
export interface ViewRequest {
  /** where its snapshot is mounted */
  root: string;
  mounts: ViewMount[];
  readOnly: boolean;
  /** how its owners are seen there, where that is not as its processes and archives have them */
  remap?: IdMap;
}

interface PackRequest extends ViewRequest {
  /** as the client wrote it; undefined = the whole root, without an entry of its own (`export`) */
  path?: string;
}

export interface ExtractRequest extends ViewRequest {
  path: string;
  options: ExtractOptions;
  /** what is mounted where, read-only or not, as the container's configuration has it */
  volumes: { destination: string; writable: boolean }[];
}

/** Calls of the archive worker by name, and what each takes and gives. `session` names one run of several calls. */
export interface ArchiveCalls {
  stat: { args: ViewRequest & { path: string }; result: PathStat };
  pack: { args: { session: number; request: PackRequest }; result: PathStat };
  /** the next bytes of a packing session; null at its end */
  read: { args: { session: number }; result: Uint8Array | null };
  readEnd: { args: { session: number }; result: unknown };
  /** extracts what `feed` brings; answers when done */
  extract: { args: { session: number; request: ExtractRequest }; result: unknown };
  /** copies a file or folder of this machine, at once; answers when done, with the bytes it read */
  copyLocal: {
    args: { session: number; request: ExtractRequest; source: LocalSource };
    result: { bytes: number };
  };
  /** nobody waits for the copy any more */
  cancelCopy: { args: { session: number }; result: unknown };
  /** answers once the bytes are taken */
  feed: { args: { session: number; bytes: Uint8Array }; result: unknown };
  /** the source is over, or failed with this sentence */
  feedEnd: { args: { session: number; error?: string }; result: unknown };
}
