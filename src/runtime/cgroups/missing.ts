/**
 * Which version 1 hierarchies a mixed host lacks. Pure: texts of /proc/cgroups, /proc/self/mountinfo and the unified
 * hierarchy's `cgroup.controllers` in, names out.
 */
interface CgroupFacts {
  /** /proc/cgroups */
  controllers: string;
  /** /proc/self/mountinfo */
  mounts: string;
  /** cgroup.controllers of the version 2 hierarchy; "" when it holds none */
  unified: string;
}

interface MissingHierarchies {
  /**
   * controllers that crun must find and cannot: version 2 holds them although the host uses version 1, or a version 1
   * hierarchy of theirs lives on after its last mount went
   */
  held: string[];
}

export function missingHierarchies({ controllers, mounts, unified }: CgroupFacts): MissingHierarchies {
  const rows = controllers
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("\t"));
  const enabled = rows.flatMap(([name, , , on]) => (name && on === "1" ? [name] : []));
  const mounted = mountedControllers(mounts);
  const inUnified = new Set(unified.split(/\s+/));
  const lingering = new Set(rows.flatMap(([name, hierarchy]) => (name && hierarchy !== "0" ? [name] : [])));
  const held = enabled.filter((name) => !mounted.has(name) && (inUnified.has(name) || lingering.has(name)));
  return { held };
}

/** Every option of every cgroup (version 1) mount: the controllers are among them. */
function mountedControllers(mountinfo: string): Set<string> {
  const options = mountinfo.split("\n").flatMap((line) => {
    const [, after] = line.split(" - ");
    const [type, , superOptions = ""] = (after ?? "").split(" ");
    return type === "cgroup" ? superOptions.split(",") : [];
  });
  return new Set(options);
}
