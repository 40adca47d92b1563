import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { messageOf } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { Logger } from "../lib/log.ts";
import { removeTree } from "../system/files/tree-remove.ts";

/**
 * Deletion in two steps: a rename, which frees the name at once, and the deletion of what was renamed, in the
 * background (nothing else can reach the folder any more), however deep. One at a time: all else needs the threads, too.
 */
export class Trash {
  private readonly folder: string;
  private readonly logger: Logger;
  /** ends with the last deletion that was asked for */
  private deleting: Promise<void> = Promise.resolve();

  constructor(folder: string, logger: Logger) {
    this.folder = folder;
    this.logger = logger;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** False where nothing was there. */
  discard(path: string): boolean {
    const target = join(this.folder, `${newId().slice(0, 12)}-${basename(path)}`);
    try {
      renameSync(path, target);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return false;
      throw error;
    }
    this.delete(target);
    return true;
  }

  /** Starts to delete all that an earlier engine left. */
  sweep(): void {
    for (const name of readdirSync(this.folder)) this.delete(join(this.folder, name));
  }

  settled(): Promise<void> {
    return this.deleting;
  }

  private delete(path: string): void {
    this.deleting = this.deleting
      .then(() => removeTree(path))
      .catch((error: unknown) => {
        this.logger.warn("cannot delete a folder of the trash; it is tried again at the next start", {
          path,
          error: messageOf(error),
        });
      });
  }
}
