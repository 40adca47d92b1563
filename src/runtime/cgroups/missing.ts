/**
 * Which version 1 hierarchies a mixed host lacks. Pure: texts of /proc/cgroups, /proc/self/mountinfo and the unified
 * hierarchy's `cgroup.controllers` in, names out.
 */
export interface CgroupFacts {
  /** /proc/cgroups */
  controllers: string;
  /** /proc/self/mountinfo */
  mounts: string;
  /** cgroup.controllers of the version 2 hierarchy; "" when it holds none */
  unified: string;
}

export interface MissingHierarchies {
  /** controllers that version 2 holds although the host uses version 1: crun refuses to run until they are mounted */
  held: string[];
  /** controllers enabled in the kernel and mounted nowhere */
  unmounted: string[];
}

export function missingHierarchies({ controllers, mounts, unified }: CgroupFacts): MissingHierarchies {
  const enabled = controllers
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("\t"))
    .flatMap(([name, , , on]) => (name && on === "1" ? [name] : []));
  const mounted = mountedControllers(mounts);
  const held = unified.split(/\s+/).filter((name) => enabled.includes(name) && !mounted.has(name));
  const unmounted = enabled.filter((name) => !mounted.has(name) && !held.includes(name));
  return { held, unmounted };
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
