import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { EngineError } from "../../lib/errors.ts";

/**
 * Removes a folder with all in it; a success when it is not there. Bun's recursive `rm` gives up without an error when
 * someone else removes an entry meanwhile, as conmon does with its socket at its end: so it is looked after.
 */
export async function removeFolder(path: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    await rm(path, { recursive: true, force: true });
    if (!existsSync(path)) return;
    await Bun.sleep(attempt);
  }
  throw new EngineError("internal", `remove ${path}: it is still there`);
}
