import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";
import { missingHierarchies } from "./missing.ts";

/** The kernel's side, so that a test can stand in for it. */
export interface CgroupHost {
  root: string;
  readFacts(): { controllers: string; mounts: string; unified: string };
  mount(folder: string, controller: string): void;
}

/**
 * On a mixed host (version 1 hierarchies, version 2 beside them holding a controller) crun refuses to run. What it must
 * find is mounted as a version 1 hierarchy, as cgroupfs-mount does at boot. It stays mounted, as there: another engine,
 * or a container of anyone's, may have come to use it, and a hierarchy without a mount lingers in the kernel, where
 * crun would take the empty folder for it. Gives the sentences to warn with.
 */
export function mountHeld(host: CgroupHost): string[] {
  const { held } = missingHierarchies(host.readFacts());
  return held.map((controller) => {
    const folder = join(host.root, controller);
    try {
      host.mount(folder, controller);
      return `cgroup controller ${controller} had no version 1 hierarchy mounted, which crun needs here: mounted at ${folder}`;
    } catch (error) {
      return `cgroup controller ${controller} has no version 1 hierarchy mounted, and it cannot be: ${messageOf(error)}`;
    }
  });
}
