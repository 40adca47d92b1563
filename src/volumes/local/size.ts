import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of all files in a folder: a file with several names counts once, links are not followed. */
export async function folderSize(folder: string): Promise<number> {
  const linked = new Set<string>();
  const open = [folder];
  let total = 0;
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for await (const entry of await opendir(path)) {
      const name = join(path, entry.name);
      if (entry.isDirectory()) open.push(name);
      else total += await fileSize(name, linked);
    }
  }
  return total;
}

async function fileSize(path: string, linked: Set<string>): Promise<number> {
  try {
    const { size, nlink, dev, ino } = await lstat(path);
    const key = `${dev}:${ino}`;
    if (nlink > 1 && linked.has(key)) return 0;
    if (nlink > 1) linked.add(key);
    return size;
  } catch (error) {
    // a container deleted it meanwhile
    if ((error as { code?: unknown }).code === "ENOENT") return 0;
    throw error;
  }
}
