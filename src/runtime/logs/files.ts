import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface LogFile {
  handle: FileHandle;
  inode: bigint;
  /** bytes when it was opened */
  size: number;
}

const isMissing = (error: unknown): boolean => (error as { code?: string }).code === "ENOENT";

async function openLog(path: string): Promise<LogFile | undefined> {
  try {
    const handle = await open(path, "r");
    const { ino, size } = await handle.stat({ bigint: true });
    return { handle, inode: ino, size: Number(size) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Numbers n of the rotated files `<log>.n` there are, ascending: 1 is the youngest. */
export async function rotatedNumbers(logPath: string): Promise<number[]> {
  const name = `${basename(logPath)}.`;
  try {
    const numbers = (await readdir(dirname(logPath)))
      .filter((entry) => entry.startsWith(name) && /^[1-9]\d*$/.test(entry.slice(name.length)))
      .map((entry) => Number(entry.slice(name.length)));
    return numbers.sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export const rotatedPath = (logPath: string, number: number): string =>
  join(dirname(logPath), `${basename(logPath)}.${number}`);

/**
 * Opens every file of a log, oldest first. The youngest is opened first: should the log rotate meanwhile, a file is
 * met twice and never missed.
 */
export async function openLogs(logPath: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  const add = async (path: string): Promise<void> => {
    const file = await openLog(path);
    if (!file) return;
    if (files.some(({ inode }) => inode === file.inode)) await file.handle.close();
    else files.push(file);
  };
  await add(logPath);
  for (const number of await rotatedNumbers(logPath)) await add(rotatedPath(logPath, number));
  return files.reverse();
}

/** The file that follows `inode` in the log; undefined while it is the live one (or the next is not there yet). */
export async function openNext(logPath: string, inode: bigint): Promise<LogFile | undefined> {
  const files = await openLogs(logPath);
  const at = files.findIndex((file) => file.inode === inode);
  const next = files[at + 1]; // not among them = dropped by rotation: go on with the oldest there is
  await Promise.all(files.filter((file) => file !== next).map(({ handle }) => handle.close()));
  return next;
}

/** Whether another file is at the path now: then conmon has closed this one, and its end is final. */
export async function isRotated(logPath: string, file: LogFile): Promise<boolean> {
  try {
    return (await stat(logPath, { bigint: true })).ino !== file.inode;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false; // between rename and reopen
    throw error;
  }
}
