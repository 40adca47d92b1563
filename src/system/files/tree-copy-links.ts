import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { bindLibc, errno } from "../libc.ts";
import { cwdFd, must } from "./at.ts";

const libc = bindLibc({ linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" } });
const followLinks = 0x400;

/** Files with several names that may be kept open at once; those beyond are copied once a name. */
const openMax = 256;

/**
 * The hard links of a tree being copied. A copied file stays open until all its names were met, so that further names
 * are linked to the file itself and not to whatever its path leads to by then.
 */
export class LinkedFiles {
  private readonly files = new Map<string, { handle: FileHandle; left: number }>();

  /** Gives a file that was copied before one more name; false where it was not. */
  link(status: Stats, toFolder: number, name: Buffer): boolean {
    const file = status.isFile() ? this.files.get(keyOf(status)) : undefined;
    if (!file) return false;
    const from = Buffer.from(`/proc/self/fd/${file.handle.fd}\0`);
    const to = Buffer.concat([name, Buffer.from([0])]);
    const result = libc.linkat(cwdFd, from, toFolder, to, followLinks);
    must(result < 0 ? -errno() : result, () => `link ${name}`);
    file.left--;
    return true;
  }

  /** Takes over the handle of a copied file that has more names; false where the caller keeps it. */
  keep(status: Stats, handle: FileHandle): boolean {
    if (status.nlink < 2 || this.files.size >= openMax) return false;
    this.files.set(keyOf(status), { handle, left: status.nlink - 1 });
    return true;
  }

  /** Closes those all of whose names were met. */
  async release(): Promise<void> {
    for (const [key, { handle, left }] of this.files) {
      if (left > 0) continue;
      this.files.delete(key);
      await handle.close();
    }
  }

  async close(): Promise<void> {
    for (const { handle } of this.files.values()) await handle.close();
    this.files.clear();
  }
}

const keyOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`;
