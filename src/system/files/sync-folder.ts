import { open } from "node:fs/promises";

/**
 * Brings a folder's entries to the disk (fsync(2) of a directory): a name made or renamed in it before is there after a
 * power cut too. Some file systems write it along with the next file that is synced, btrfs does not.
 */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
