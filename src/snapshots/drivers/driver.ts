import { EngineError } from "../../lib/errors.ts";
import type { MountOptions } from "../contract.ts";
import type { LayerForm } from "./form.ts";

/** What differs between the ways to stack layers. Layers are named by their folders, lowest first. */
export interface Driver {
  readonly name: "overlay2" | "vfs";
  readonly form: LayerForm;
  readonly status: [string, string][];
  /** Fills `folder` (made, empty, and renamed to its place afterwards) for a snapshot over `layers`. */
  prepare(folder: string, layers: readonly string[]): Promise<void>;
  mount(key: string, layers: readonly string[], options: MountOptions): Promise<void>;
  /** Shows `layers` alone and read-only at `rootPath(key)`; `prepare` has filled the folder. */
  mountView(key: string, layers: readonly string[], options: Pick<MountOptions, "remapped">): Promise<void>;
  unmount(key: string): Promise<void>;
  /** The folder with the root in it once mounted. */
  rootPath(key: string): string;
  /** What `changes`, `diff`, `usage` and `commit` read: see `snapshots/worker/changes.ts`. */
  writes(key: string, layers: readonly string[]): Writes;
  graphDriver(
    key: string | undefined,
    layers: readonly string[],
  ): { Name: string; Data: Record<string, string> };
}

/** Where a snapshot's writes are: in an upper folder over lower ones, or mixed into a copy of them. */
export interface Writes {
  kind: "upper" | "copy";
  folder: string;
  /** the lower folders, topmost first */
  lower: readonly string[];
  form: LayerForm;
}

const keyPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export function checkKey(key: string): string {
  if (!keyPattern.test(key))
    throw new EngineError("invalid", `${JSON.stringify(key)} is not a snapshot's name`);
  return key;
}
