import { readFile } from "node:fs/promises";

/** A line of proc_pid_mountinfo(5), as far as it matters. */
export interface MountEntry {
  /** major:minor; all mounts of one file system share it */
  device: string;
  point: string;
  type: string;
}

/** What is mounted in this mount namespace, the latest mount last. Touches no file system. */
export async function mountEntries(): Promise<MountEntry[]> {
  return parseMountEntries(await readFile("/proc/self/mountinfo", "utf8"));
}

export function parseMountEntries(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , device, , point] = before.split(" ");
    if (device === undefined || point === undefined) return [];
    return [{ device, point: unescaped(point), type: after.split(" ", 1)[0] ?? "" }];
  });
}

/** Where something is mounted in this mount namespace, the latest mount last. */
export async function mountPoints(): Promise<string[]> {
  return (await mountEntries()).map(({ point }) => point);
}

/** The kernel writes blanks and backslashes as `\040`. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
