import { readFile } from "node:fs/promises";

/** A line of proc_pid_mountinfo(5), as far as it matters. */
export interface MountEntry {
  /** major:minor; all mounts of one file system share it */
  device: string;
  /** what of the file system is mounted */
  root: string;
  point: string;
  type: string;
  /** of the mount, not of its file system */
  options: string[];
}

/** What is mounted in this mount namespace, the latest mount last. Touches no file system. */
export async function mountEntries(): Promise<MountEntry[]> {
  return parseMountEntries(await readFile("/proc/self/mountinfo", "utf8"));
}

export function parseMountEntries(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , device, root, point, options = ""] = before.split(" ");
    if (device === undefined || root === undefined || point === undefined) return [];
    const type = after.split(" ", 1)[0] ?? "";
    return [{ device, root: unescaped(root), point: unescaped(point), type, options: options.split(",") }];
  });
}

/** Where something is mounted in this mount namespace, the latest mount last. */
export async function mountPoints(): Promise<string[]> {
  return (await mountEntries()).map(({ point }) => point);
}

/** The kernel writes blanks and backslashes as `\040`. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
