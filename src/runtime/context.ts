import type { Logger } from "../lib/log.ts";
import type { CgroupTree } from "../system/cgroup/cgroup.ts";
import type { RunningContainers } from "./containers.ts";
import type { Launcher } from "./launch/launcher.ts";
import type { ExitWatch } from "./lifecycle/exits.ts";
import type { OciRuntime } from "./oci-runtime/oci-runtime.ts";
import type { RuntimePaths } from "./paths.ts";
import type { SeccompCache } from "./security/seccomp-cache.ts";

/** What the use cases of this folder share. */
export interface RuntimeContext {
  paths: RuntimePaths;
  /** path of conmon's binary */
  conmon: string;
  /** the OCI runtime of a name; undefined = the default one. Throws `invalid` for an unknown name. */
  runtimeNamed(name: string | undefined): Promise<OciRuntime>;
  cgroups: CgroupTree;
  /** the cgroup all containers of this engine are below */
  cgroupParent: string;
  containers: RunningContainers;
  exits: ExitWatch;
  seccomp: SeccompCache;
  launcher: Launcher;
  logger: Logger;
}
