import { EngineError } from "../../lib/errors.ts";
import { baseOf, parentOf, shown } from "../../snapshots/unpack/names.ts";
import {
  close,
  EEXIST,
  ENOENT,
  fileType,
  flags,
  mkdirRaw,
  must,
  readLink,
  statAt,
} from "../../system/files/at.ts";
import { openInsideRaw } from "../../system/files/root-view.ts";
import { cleaned } from "./paths.ts";

const folderFlags = flags.readOnly | flags.directory;
const linksMax = 40;

/**
 * The folders an archive's entries go to, below the one it is extracted in. Links are followed as if that were `/`, as
 * Docker's extraction has it; missing folders are made on the way. The last one stays open, for entries come in runs.
 */
export class Folders {
  readonly top: number;
  /** the entry that folders are opened for now, for messages */
  entry = "";
  private path = "";
  private fd: number;

  /** `top` stays the caller's. */
  constructor(top: number) {
    this.top = top;
    this.fd = top;
  }

  /** Open until the next `get` or `forget`. */
  get(path: string): number {
    if (path === this.path) return this.fd;
    this.forget();
    this.fd = this.open(path, linksMax);
    this.path = path;
    return this.fd;
  }

  /** Names may mean other folders from here on. */
  forget(): void {
    if (this.fd !== this.top) close(this.fd);
    this.fd = this.top;
    this.path = "";
  }

  /** Opens a folder that is there; the caller closes it. */
  find(path: string): number {
    const found = openInsideRaw(this.top, path === "" ? "." : path, folderFlags);
    return must(found, () => `openat ${shown(this.entry)}`);
  }

  private open(path: string, linksLeft: number): number {
    const found = openInsideRaw(this.top, path === "" ? "." : path, folderFlags);
    if (found !== ENOENT) return must(found, () => `openat ${shown(this.entry)}`);
    const parent = this.open(parentOf(path), linksLeft);
    try {
      const base = baseOf(path);
      const made = mkdirRaw(parent, base, 0o755);
      if (made === EEXIST) {
        const target = linkTarget(parent, base, path);
        if (target !== undefined) {
          if (linksLeft === 0) throw new EngineError("internal", `too many links in ${shown(path)}`);
          return this.open(target, linksLeft - 1);
        }
      } else must(made, () => `mkdirat ${shown(path)}`);
    } finally {
      close(parent);
    }
    return this.find(path);
  }
}

/** Where a link that leads to nothing points, below the top; undefined when no link is there. */
function linkTarget(parent: number, base: string, path: string): string | undefined {
  const status = statAt(parent, base);
  if (status === undefined || (status.mode & fileType.mask) !== fileType.symlink) return undefined;
  const target = readLink(parent, base);
  return cleaned(target.startsWith("/") ? target : `${parentOf(path)}/${target}`).slice(1);
}
