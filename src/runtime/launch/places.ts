/** What the namespace in which containers are launched shows of the host's mounts. Pure. */

/** A line of proc_pid_mountinfo(5), as far as it matters. */
interface HostMount {
  point: string;
  type: string;
}

/** Folders that programs need whole, with what is mounted below them. */
const systemFolders = [
  "/proc",
  "/sys",
  "/dev",
  "/usr",
  "/lib",
  "/lib64",
  "/bin",
  "/sbin",
  "/etc",
  "/nix",
  "/gnu",
];

/**
 * The mount points to keep, parents first: those that lead to one of `paths`, and those below the system's own folders.
 * Of the data root and the exec root, which are among `paths`, folders directly in them may be mounts, too; what lies
 * deeper is one container's.
 */
export function keptPoints(mountinfo: string, paths: readonly string[]): string[] {
  const points = new Set<string>();
  for (const { point, type } of parse(mountinfo)) {
    if (point === "/" || type === "autofs") continue;
    const leads = paths.some((path) => isWithin(path, point));
    const child = paths.some((path) => parentOf(point) === path);
    if (leads || child || systemFolders.some((folder) => isWithin(point, folder))) points.add(point);
  }
  // a later mount may cover an earlier one's point; depth is what decides which must be there first
  return [...points].sort((a, b) => depthOf(a) - depthOf(b));
}

function parse(mountinfo: string): HostMount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const point = before.split(" ")[4];
    if (point === undefined) return [];
    return [{ point: unescaped(point), type: after.split(" ")[0] ?? "" }];
  });
}

/** The kernel writes blanks and backslashes as `\040`. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));
const depthOf = (path: string): number => path.split("/").length;
