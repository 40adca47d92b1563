import { readFile } from "node:fs/promises";

/** Where something is mounted in this mount namespace, the latest mount last: proc_pid_mountinfo(5). */
export async function mountPoints(): Promise<string[]> {
  const points: string[] = [];
  for (const line of (await readFile("/proc/self/mountinfo", "utf8")).split("\n")) {
    const point = line.split(" ")[4];
    if (point !== undefined) points.push(unescaped(point));
  }
  return points;
}

/** The kernel writes blanks and backslashes as `\040`. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
