import { readFile, realpath } from "node:fs/promises";
import { EngineError } from "../../../lib/errors.ts";

interface HostMount {
  point: string;
  shared: boolean;
  slave: boolean;
}

/** Lines of proc_pid_mountinfo(5): mount point, and in the optional fields its propagation. */
export function parseMountinfo(text: string): HostMount[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const end = fields.indexOf("-");
    if (end < 6) return [];
    const optional = fields.slice(6, end);
    return [
      {
        point: (fields[4] ?? "").replace(/\\(\d{3})/g, (_all, code: string) =>
          String.fromCharCode(Number.parseInt(code, 8)),
        ),
        shared: optional.some((field) => field.startsWith("shared:")),
        slave: optional.some((field) => field.startsWith("master:")),
      },
    ];
  });
}

/**
 * The options of a bind. One that is to propagate must come from a mount that does (Docker's words, status 500); where
 * that was nobody's wish, the bind becomes a private one.
 */
export async function propagating(source: string, options: readonly string[]): Promise<readonly string[]> {
  const shared = options.includes("shared") || options.includes("rshared");
  if (!shared && !options.includes("slave") && !options.includes("rslave")) return options;
  const mounts = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  const mount = holderOf(mounts, await realpath(source));
  if (mount?.shared || (!shared && mount?.slave)) return options;
  if (options.includes("by-default"))
    return options.map((option) => (option === "rslave" ? "rprivate" : option));
  const wanted = shared ? "a shared mount" : "a shared or slave mount";
  throw new EngineError(
    "internal",
    `path ${source} is mounted on ${mount?.point ?? "/"} but it is not ${wanted}`,
  );
}

/** The mount that a path is on; of several at one point the last covers the others. */
export function holderOf(mounts: readonly HostMount[], path: string): HostMount | undefined {
  let found: HostMount | undefined;
  for (const mount of mounts) {
    const holds = mount.point === "/" || path === mount.point || path.startsWith(`${mount.point}/`);
    if (holds && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}
