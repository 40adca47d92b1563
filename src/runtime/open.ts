import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { CgroupTree, cgroupLayout, cgroupRoot } from "../system/cgroup/cgroup.ts";
import { mountHierarchy } from "../system/cgroup/cgroup-mount.ts";
import { runCommand } from "../system/process/process.ts";
import { type CgroupHost, mountHeld } from "./cgroups/prepare.ts";
import { ConmonRuntime } from "./conmon-runtime.ts";
import { RunningContainers } from "./containers.ts";
import type { RuntimeFacts } from "./contract.ts";
import { Launcher } from "./launch/launcher.ts";
import { ExitWatch } from "./lifecycle/exits.ts";
import { findOciRuntime, findProgram, type OciRuntime, versionIn } from "./oci-runtime/oci-runtime.ts";
import { RuntimePaths } from "./paths.ts";
import { apparmorHost, loadDefaultProfile } from "./security/apparmor.ts";
import { SeccompCache } from "./security/seccomp-cache.ts";
import { defaultCapabilities } from "./spec/capabilities.ts";
import { defaultSeccomp } from "./spec/seccomp.ts";

export interface RuntimeOptions {
  execRoot: string;
  dataRoot: string;
  engineId: string;
  logger: Logger;
  /** parent of all containers' cgroups; undefined = `/berth-<engine id>` */
  cgroupParent?: string;
  /** name or path; undefined = crun, else runc */
  defaultRuntime?: string;
  /** further runtimes by name: path of a binary with crun's or runc's command line */
  runtimes?: Readonly<Record<string, string>>;
}

/** Finds conmon and an OCI runtime, makes the host's cgroups fit for them, and begins to watch for exits. */
export async function openRuntime(options: RuntimeOptions): Promise<ConmonRuntime> {
  const { execRoot, dataRoot, engineId, logger, cgroupParent = `/berth-${engineId}` } = options;
  const paths = new RuntimePaths(execRoot);
  paths.makeFolders();
  const [conmon, runtime, apparmor] = await Promise.all([
    findConmon(),
    findDefault(options.defaultRuntime),
    loadDefaultProfile(apparmorHost(execRoot), logger),
  ]);
  const layout = cgroupLayout();
  const warnings = layout === "v2" ? [] : mountHeld(cgroupHost());
  for (const warning of warnings) logger.warn(warning);
  const cgroups = new CgroupTree(cgroupRoot, layout);
  const facts: RuntimeFacts = {
    name: runtime.name,
    path: runtime.path,
    version: runtime.version,
    conmonVersion: conmon.version,
    cgroupVersion: layout === "v2" ? "2" : "1",
    cgroupLayout: layout,
    blkioWeight: hasBlkioWeight(cgroups),
    apparmor,
    oomScore: Number(readFileSync("/proc/self/oom_score_adj", "utf8")),
    warnings,
  };
  const context = {
    paths,
    conmon: conmon.path,
    runtimeNamed: runtimeTable(runtime, options.runtimes ?? {}),
    cgroups,
    cgroupParent,
    containers: new RunningContainers(),
    exits: new ExitWatch(paths, logger),
    seccomp: seccompCache(paths, logger),
    launcher: new Launcher({
      folder: paths.launch,
      paths: [dataRoot, execRoot, conmon.path, runtime.path],
      runtime,
      logger,
    }),
    logger,
  };
  return new ConmonRuntime(context, facts);
}

/** Made ready for the profile that most containers have. */
function seccompCache(paths: RuntimePaths, logger: Logger): SeccompCache {
  const cache = new SeccompCache(paths.seccomp, logger);
  cache
    .program(defaultSeccomp(defaultCapabilities))
    .catch((error: unknown) =>
      logger.warn("the kept seccomp program cannot be read", { error: messageOf(error) }),
    );
  return cache;
}

async function findConmon(): Promise<{ path: string; version: string }> {
  const path = await findProgram("conmon");
  if (path === undefined)
    throw new EngineError(
      "internal",
      "conmon is not installed: install the package conmon (apt install conmon)",
    );
  const { stdout } = await runCommand([path, "--version"]);
  return { path, version: versionIn(stdout) };
}

async function findDefault(wanted: string | undefined): Promise<OciRuntime> {
  for (const name of wanted === undefined ? ["crun", "runc"] : [wanted]) {
    const found = await findOciRuntime(name);
    if (found) return found;
  }
  const names = wanted ?? "crun or runc";
  throw new EngineError("internal", `${names} is not installed: install the package crun (apt install crun)`);
}

/** Runtimes by name, each looked for when it is first used. */
function runtimeTable(
  standard: OciRuntime,
  paths: Readonly<Record<string, string>>,
): (name: string | undefined) => Promise<OciRuntime> {
  const found = new Map<string, OciRuntime>([[standard.name, standard]]);
  return async (name) => {
    if (name === undefined) return standard;
    const known = found.get(name);
    if (known) return known;
    const runtime = await findOciRuntime(
      paths[name] ?? (/^(crun|runc)$/.test(name) ? name : `/nonexistent/${name}`),
    );
    if (!runtime) throw new EngineError("invalid", `unknown or invalid runtime name: ${name}`);
    found.set(name, runtime);
    return runtime;
  };
}

/** Version 1 shows the file at its root where the kernel has weights at all; version 2 has them with its I/O controller. */
function hasBlkioWeight(cgroups: CgroupTree): boolean {
  if (cgroups.layout !== "v2") return cgroups.has("blkio", "", "blkio.weight");
  return readFileSync(join(cgroupRoot, "cgroup.controllers"), "latin1").split(/\s+/).includes("io");
}

function cgroupHost(): CgroupHost {
  const unified = join(cgroupRoot, "unified/cgroup.controllers");
  return {
    root: cgroupRoot,
    readFacts: () => ({
      controllers: readFileSync("/proc/cgroups", "latin1"),
      mounts: readFileSync("/proc/self/mountinfo", "latin1"),
      unified: existsSync(unified) ? readFileSync(unified, "latin1") : "",
    }),
    mount: mountHierarchy,
  };
}
