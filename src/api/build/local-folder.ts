import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { BuildContext } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import type { LocalFolder } from "../../types/local-build.ts";

/** The client's folder as a context, if it is the one that this engine sees under that name. */
export async function localFolderContext(folder: LocalFolder): Promise<BuildContext> {
  const root = await checkedPath(folder);
  const { ignore = [] } = folder;
  return { open: () => Promise.resolve({ root, ignore, live: true, close: () => Promise.resolve() }) };
}

export async function checkedPath({ path, device, inode }: LocalFolder): Promise<string> {
  if (!isAbsolute(path ?? "")) throw new EngineError("invalid", "the path of a context must be absolute");
  const seen = await statOf(path);
  if (seen?.dev !== device || seen.ino !== inode || !seen.isDirectory())
    throw new EngineError("conflict", `the engine does not see the client's folder ${path}`);
  return path;
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw error;
  }
}
