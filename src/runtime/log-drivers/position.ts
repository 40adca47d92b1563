import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { AssemblerState } from "./assembler.ts";

/** Up to where a log was handed on: kept on disk, so that the next engine goes on from there. */
export interface LogPosition {
  /** of the file among the log's files, as a decimal number */
  inode: string;
  offset: number;
  begun: AssemblerState;
}

/** undefined = nothing was handed on yet, or what is there cannot be read: then all is told (again). */
export async function readPosition(path: string): Promise<LogPosition | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(path, "utf8"));
    return isPosition(found) ? found : undefined;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isPosition = (found: unknown): found is LogPosition =>
  typeof found === "object" &&
  found !== null &&
  "inode" in found &&
  typeof found.inode === "string" &&
  /^\d+$/.test(found.inode) &&
  "offset" in found &&
  Number.isSafeInteger(found.offset) &&
  "begun" in found &&
  typeof found.begun === "object";

/** Not forced to disk: after a power cut some lines may be told twice. */
export async function writePosition(path: string, position: LogPosition): Promise<void> {
  const fresh = `${path}.new`;
  try {
    await writeFile(fresh, JSON.stringify(position));
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(fresh, JSON.stringify(position));
  }
  await rename(fresh, path);
}
