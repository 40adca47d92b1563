/** Answers of the image endpoints that Docker does not have: lines of JSON, each one of these. */

/** `GET /berth/images/{name}/layers`, the first line. */
export interface ImageLine {
  id: string;
  tags: string[];
  /** lowest first */
  layers: { diffId: string; size: number; createdBy: string; created: string; sharedBy: number }[];
}

/** What a layer does to those below it. */
export interface LayerLine {
  /** from 0, lowest first */
  layer: number;
  added: number;
  changed: number;
  hidden: number;
  /** bytes of the files it adds or changes */
  addedBytes: number;
  /** bytes of layers below that it replaces or hides: they take room and show nowhere */
  wastedBytes: number;
}

export interface NameDetails {
  path: string;
  /** file, directory, symlink, hardlink, char, block, fifo */
  type: string;
  size: number;
  mode: number;
  /** `uid:gid` */
  owner: string;
  /** target of a symlink */
  link?: string;
}

/** One name of a layer, after the layer's own line. */
export interface LayerNameLine extends NameDetails {
  layer: number;
  kind: "added" | "changed" | "hidden";
  wasted: number;
}

/** `GET /berth/images/{name}/diff?with=…`: one name that differs. */
export interface DifferenceLine extends NameDetails {
  kind: "added" | "removed" | "changed";
  /** by how much the image grows with it */
  bytes: number;
  /** of a changed name, what it was */
  before?: Omit<NameDetails, "path">;
}

/** A stream that failed after its first line ends with this. */
export interface FailureLine {
  error: string;
}

/** `POST /berth/images/verify`: one line for each thing checked, then the sums. */
export type VerifyLine =
  | { kind: "layer"; diffId: string; images: string[]; problem?: string }
  | { kind: "image"; id: string; images: string[]; problem?: string }
  | { kind: "repair"; diffId: string; from?: string; problem?: string }
  | { kind: "end"; layers: number; images: number; damaged: number; repaired: number };

/** `POST /berth/images/gc`. */
export interface GcRequest {
  /** bytes that unused images may keep in all */
  keepBytes?: number;
  /** bytes that should be free on the file system */
  freeBytes?: number;
  /** images unused for longer than this go */
  unusedForMs?: number;
  dryRun?: boolean;
}

export interface GcAnswer {
  /** oldest use first */
  removed: { id: string; tags: string[]; lastUsedAt: number; bytes: number; reason: string }[];
  bytes: number;
  /** images that policy would have taken, and what keeps them */
  kept: { id: string; tags: string[]; reason: string }[];
  dryRun: boolean;
}
