import {
  close,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "../../lib/errors.ts";
import { close as closeFd, cwdFd, flags, must, openRaw, toBytes } from "../../system/files/at.ts";
import { mountOverlay, unmount } from "../../system/mount/mount.ts";
import type { MountOptions } from "../contract.ts";
import type { Paths } from "../paths.ts";
import type { RemappedRoot } from "../remapped-root.ts";
import type { Driver, Writes } from "./driver.ts";
import { hide, makeOpaque } from "./form.ts";

const closeInBackground = promisify(close);
const pathOnly = 0o10000000;

/** Snapshots by the overlay file system: `<key>/{diff,work,merged}`. Mounting is one call of well under a millisecond. */
export class OverlayDriver implements Driver {
  readonly name = "overlay2";
  readonly form = "overlay";
  readonly status: [string, string][];
  private readonly paths: Paths;
  private readonly mounted: Set<string>;
  private readonly remapped: RemappedRoot | undefined;

  constructor(paths: Paths, backing: string, remapped: RemappedRoot | undefined) {
    this.paths = paths;
    this.remapped = remapped;
    this.mounted = mountedKeys(paths);
    this.status = [
      ["Backing Filesystem", backing],
      ["Supports d_type", "true"],
      ["Using metacopy", "false"],
      ["Native Overlay Diff", "true"],
      ["userxattr", "false"],
    ];
  }

  prepare(folder: string): Promise<void> {
    for (const [name, mode] of [
      ["diff", 0o755],
      ["work", 0o700],
      ["merged", 0o700],
    ] as const)
      mkdirSync(join(folder, name), { mode });
    return Promise.resolve();
  }

  mount(
    key: string,
    layers: readonly string[],
    { volatile = false, remapped = false, bare = false, step = false }: MountOptions,
  ): Promise<void> {
    if (this.mounted.has(key)) return Promise.resolve();
    const folder = this.paths.snapshot(key);
    const shown = (path: string): string => (remapped ? this.throughMap(path) : path);
    if (remapped) this.remapped?.admit(folder);
    // an earlier volatile mount leaves a mark here that forbids the next
    const mark = join(folder, "work/work/incompat");
    if (existsSync(mark)) rmSync(mark, { recursive: true });
    mkdirSync(join(folder, "merged"), { recursive: true, mode: 0o700 });
    const overlay = {
      lower: (bare && layers.length > 0 ? this.stacked(layers) : this.lower(layers, step)).map(shown),
      upper: shown(join(folder, "diff")),
      work: shown(join(folder, "work")),
      volatile,
    };
    mountOverlay(overlay, this.rootPath(key));
    this.mounted.add(key);
    return Promise.resolve();
  }

  mountView(
    key: string,
    layers: readonly string[],
    { remapped = false }: Pick<MountOptions, "remapped">,
  ): Promise<void> {
    // without a layer there is nothing to mount: the mount point is the empty root
    if (layers.length === 0) return Promise.resolve();
    const lower = this.stacked(layers);
    // two at least, or the kernel refuses: the snapshot's own folder, which is empty
    lower.push(join(this.paths.snapshot(key), "diff"));
    const shown = remapped ? lower.map((path) => this.throughMap(path)) : lower;
    mountOverlay({ lower: shown, volatile: false }, this.rootPath(key));
    this.mounted.add(key);
    return Promise.resolve();
  }

  /**
   * The mount is gone from the tree at once; its last reference is closed by one of the runtime's threads, for an
   * overlay that is not volatile then syncs its file system. Removing the mount point also ends copies of the mount
   * that other mount namespaces took meanwhile.
   */
  async unmount(key: string): Promise<void> {
    if (!this.mounted.has(key)) return;
    const root = this.rootPath(key);
    const fd = openFolder(root);
    if (fd === undefined) {
      this.mounted.delete(key); // someone else has deleted it
      return;
    }
    try {
      unmount(root);
      this.mounted.delete(key);
      rmdirSync(root);
    } finally {
      await closeInBackground(fd);
    }
  }

  rootPath(key: string): string {
    return this.paths.merged(key);
  }

  writes(key: string, layers: readonly string[]): Writes {
    return {
      kind: "upper",
      folder: join(this.paths.snapshot(key), "diff"),
      lower: this.lower(layers),
      form: this.form,
    };
  }

  graphDriver(
    key: string | undefined,
    layers: readonly string[],
  ): { Name: string; Data: Record<string, string> } {
    const lower = layers.map((folder) => this.paths.layerDiff(folder)).reverse();
    const upper = key === undefined ? lower.shift() : join(this.paths.snapshot(key), "diff");
    const base = key === undefined ? (upper ?? "").replace(/\/diff$/, "") : this.paths.snapshot(key);
    const data: Record<string, string> = lower.length === 0 ? {} : { LowerDir: lower.join(":") };
    return {
      Name: this.name,
      Data: { ...data, MergedDir: join(base, "merged"), UpperDir: upper ?? "", WorkDir: join(base, "work") },
    };
  }

  private throughMap(path: string): string {
    const shown = this.remapped?.pathOf(path);
    if (shown === undefined) throw new EngineError("internal", `the owners of ${path} cannot be mapped`);
    return shown;
  }

  /** Topmost first, as overlay wants them. */
  private lower(layers: readonly string[], step = false): string[] {
    return [...this.stacked(layers), join(step ? this.paths.stepInit : this.paths.init, "diff")];
  }

  /** A layer that is in a stack twice counts where it lies highest: the kernel takes each folder once. */
  private stacked(layers: readonly string[]): string[] {
    return [...new Set(layers.map((folder) => this.paths.layerDiff(folder)).reverse())];
  }
}

function openFolder(path: string): number | undefined {
  try {
    return openSync(path, pathOnly | constants.O_DIRECTORY);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Snapshots that are mounted now, those of an earlier engine too. */
function mountedKeys(paths: Paths): Set<string> {
  const keys = new Set<string>();
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const point = (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_all, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    if (!point.startsWith(`${paths.snapshots}/`) || !point.endsWith("/merged")) continue;
    keys.add(point.slice(paths.snapshots.length + 1, -"/merged".length));
  }
  return keys;
}

/** Tries all that the driver needs on this data root. Throws what failed; leaves nothing. */
export function tryOverlay(folder: string, remapped?: RemappedRoot): void {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(folder, name), { recursive: true });
  const lower = must(
    openRaw(cwdFd, toBytes(join(folder, "lower")), flags.readOnly | flags.directory),
    () => "open",
  );
  try {
    writeFileSync(join(folder, "lower/file"), "");
    hide("overlay", lower, "whiteout");
    makeOpaque("overlay", lower);
    const merged = join(folder, "merged");
    const shown = (name: string): string => remapped?.pathOf(join(folder, name)) ?? join(folder, name);
    mountOverlay(
      {
        lower: [shown("lower")],
        upper: shown("upper"),
        work: shown("work"),
        volatile: true,
      },
      merged,
    );
    try {
      closeSync(openSync(join(merged, "file"), "r+"));
    } finally {
      unmount(merged);
    }
  } finally {
    closeFd(lower);
    rmSync(folder, { recursive: true, force: true });
  }
}
