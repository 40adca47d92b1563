import { chmod, mkdir, readdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../lib/ids.ts";
import { removeTree } from "../system/tree-remove.ts";

const temporaryName = /^\.[0-9a-f]{16}$/;
const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * The folders of volumes, `<volumes>/<name>/_data`. A new one is made under a temporary name (a dot begins no volume's
 * name) and renamed; an old one is renamed to a temporary name, and only then deleted. What has a temporary name is
 * deleted at start.
 */
export class VolumeFolders {
  private readonly base: string;

  constructor(dataRoot: string) {
    this.base = join(dataRoot, "volumes");
  }

  /** The host path of a volume's data. */
  data(name: string): string {
    return join(this.base, name, "_data");
  }

  async make(name: string): Promise<void> {
    const temporary = this.temporary();
    const data = join(temporary, "_data");
    await mkdir(temporary, { mode: 0o701 });
    await mkdir(data);
    // whatever the engine's umask, every user of a container may read a new volume
    await chmod(data, 0o755);
    await rename(temporary, join(this.base, name));
  }

  /** Frees the name at once; the returned promise is of the files. */
  async remove(name: string): Promise<{ deleted: Promise<void> }> {
    const temporary = this.temporary();
    try {
      await rename(join(this.base, name), temporary);
    } catch (error) {
      // someone deleted the folder by hand: then it is gone, as asked
      if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    }
    return { deleted: removeTree(temporary) };
  }

  /**
   * Deletes what has a temporary name, and the empty folders a crash left before their row was written. Returns the
   * names of the volumes that are there: data without a row is never deleted.
   */
  async sweep(known: ReadonlySet<string>): Promise<Set<string>> {
    await mkdir(this.base, { recursive: true, mode: 0o701 });
    const there = new Set<string>();
    for (const name of await readdir(this.base)) {
      if (temporaryName.test(name)) await removeTree(join(this.base, name));
      else if (volumeName.test(name) && (known.has(name) || (await this.keepsData(name)))) there.add(name);
    }
    return there;
  }

  private async keepsData(name: string): Promise<boolean> {
    try {
      // an empty folder goes, one that holds anything stays
      await rmdir(this.data(name));
      await rmdir(join(this.base, name));
      return false;
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOTEMPTY") return true;
      if ((error as { code?: unknown }).code === "ENOENT") return false;
      throw error;
    }
  }

  private temporary(): string {
    return join(this.base, `.${newId().slice(0, 16)}`);
  }
}
