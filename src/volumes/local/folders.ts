import { chmod, mkdir, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { newId } from "../../lib/ids.ts";
import { syncFolder } from "../../system/files/sync-folder.ts";
import { removeTree } from "../../system/files/tree-remove.ts";
import { unmount } from "../../system/mount/mount.ts";
import { mountPoints } from "../../system/mount/mount-table.ts";
import { imageFile, neverMounted } from "./image.ts";

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

  of(name: string): string {
    return join(this.base, name);
  }

  /** The host path of a volume's data. */
  data(name: string): string {
    return join(this.base, name, "_data");
  }

  /** The volume whose data a path is. */
  nameOf(data: string): string | undefined {
    const name = basename(dirname(data));
    return data === this.data(name) ? name : undefined;
  }

  async has(name: string): Promise<boolean> {
    return stat(this.of(name)).then(
      () => true,
      () => false, // that is the answer
    );
  }

  /**
   * A new folder with an empty `_data`, to which `prepare` adds what else it is to hold; then renamed to `target`, or left
   * under its temporary name, which the result is.
   */
  async assemble(prepare: (folder: string) => Promise<void>, target?: string): Promise<string> {
    const temporary = this.temporary();
    const data = join(temporary, "_data");
    await mkdir(temporary, { mode: 0o701 });
    try {
      await mkdir(data);
      // whatever the engine's umask, every user of a container may read a new volume
      await chmod(data, 0o755);
      await prepare(temporary);
      if (target !== undefined) {
        await rename(temporary, target);
        // the row that tells of it must not come to the disk before it
        await syncFolder(dirname(target));
      }
      return temporary;
    } catch (error) {
      await removeTree(temporary);
      throw error;
    }
  }

  /** Frees the name at once; the returned promise is of the files. */
  async remove(name: string): Promise<{ deleted: Promise<void> }> {
    const temporary = this.temporary();
    try {
      await rename(this.of(name), temporary);
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
    for (const point of await mountPoints())
      if (dirname(dirname(point)) === this.base && temporaryName.test(basename(dirname(point))))
        unmount(point);
    const there = new Set<string>();
    for (const name of await readdir(this.base)) {
      if (temporaryName.test(name)) await removeTree(join(this.base, name));
      else if (volumeName.test(name) && (known.has(name) || (await this.keepsData(name)))) there.add(name);
    }
    return there;
  }

  /** An empty folder goes, and an image that was never mounted; what holds anything stays. */
  private async keepsData(name: string): Promise<boolean> {
    try {
      await rmdir(this.data(name));
      if (await neverMounted(join(this.of(name), imageFile))) await unlink(join(this.of(name), imageFile));
      await rmdir(this.of(name));
      return false;
    } catch (error) {
      const code = String((error as { code?: unknown }).code);
      if (code === "ENOTEMPTY" || code === "EBUSY") {
        await mkdir(this.data(name), { recursive: true });
        return true;
      }
      if (code === "ENOENT") return false;
      throw error;
    }
  }

  /** What a folder's volume was made with, as far as that can be seen. */
  async optionsOf(name: string): Promise<Record<string, string> | null> {
    const size = await stat(join(this.of(name), imageFile)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined; // a volume without a limit
      throw error;
    });
    return size ? { size: String(size.size) } : null;
  }

  temporary(): string {
    return join(this.base, `.${newId().slice(0, 16)}`);
  }
}
