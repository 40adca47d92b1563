import { lstat, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { eachOf } from "../../lib/each.ts";
import { newId } from "../../lib/ids.ts";

/**
 * Deletes a folder that nobody else reaches any more, however deep: each folder in it is first moved up to the top, so
 * no path grows long (the runtime's own recursive removal takes minutes for a thousand levels). A mount point in it is
 * an error and not entered. What is not there is a success.
 */
export async function removeTree(top: string): Promise<void> {
  try {
    await empty(top, top);
    // a moved folder may bring others up
    for (let rest = await readdir(top); rest.length > 0; rest = await readdir(top))
      for (const name of rest) {
        await empty(`${top}/${name}`, top);
        await rmdir(`${top}/${name}`);
      }
    await rmdir(top);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
}

const atOnce = 8;

/** Deletes the files of a folder and moves its folders up to `top`, where they get names that are free. */
async function empty(folder: string, top: string): Promise<void> {
  const names: Buffer[] = await readdir(folder, { encoding: "buffer" });
  await eachOf(names, atOnce, async (name) => {
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    if (!(await lstat(path)).isDirectory()) await unlink(path);
    else await rename(path, `${top}/${newId().slice(0, 24)}`);
  });
}
