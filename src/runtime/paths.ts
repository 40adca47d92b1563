import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Every path of the runtime below the exec root; nothing else in this folder joins one. */
export class RuntimePaths {
  readonly execRoot: string;
  /** conmon leaves one file per ended container here; watched */
  readonly exits: string;
  /** the OCI runtime's own state, a folder per container */
  readonly state: string;
  readonly containers: string;
  /** compiled seccomp profiles */
  readonly seccomp: string;
  /** what containers are made from, in the namespace of the launcher */
  readonly launch: string;

  constructor(execRoot: string) {
    this.execRoot = execRoot;
    this.exits = join(execRoot, "exits");
    this.state = join(execRoot, "crun");
    this.containers = join(execRoot, "containers");
    this.seccomp = join(execRoot, "seccomp");
    this.launch = join(execRoot, "launch");
  }

  makeFolders(): void {
    for (const folder of [this.execRoot, this.exits, this.state, this.containers])
      mkdirSync(folder, { recursive: true, mode: 0o711 });
  }

  bundle = (id: string): string => join(this.containers, id);
  exitFile = (id: string): string => join(this.exits, id);
  /** crun's fifo on which the first process waits for `start` */
  startFifo = (id: string): string => join(this.state, id, "exec.fifo");
  /** an exec has a bundle of its own inside its container's */
  execBundle = (containerId: string, execId: string): string =>
    join(this.bundle(containerId), "exec", execId);
}

/** Files conmon makes or reads in a bundle. */
export const inBundle = {
  config: (bundle: string): string => join(bundle, "config.json"),
  pid: (bundle: string): string => join(bundle, "pid"),
  exit: (bundle: string): string => join(bundle, "exit"),
  oom: (bundle: string): string => join(bundle, "oom"),
  attach: (bundle: string): string => join(bundle, "attach"),
  control: (bundle: string): string => join(bundle, "ctl"),
  process: (bundle: string): string => join(bundle, "process.json"),
  /** the OCI runtime's own words on an exec */
  log: (bundle: string): string => join(bundle, "log"),
  /** in the container's bundle */
  execPid: (bundle: string, execId: string): string => join(bundle, `exec-${execId}.pid`),
};

/** A build step's own group lies in one that outlives it by a moment, for what it used to be read from. */
export const innerGroup = "/step";
/** The group that holds all of a container or step, by the one its configuration names. */
export const outerGroup = (cgroup: string): string =>
  cgroup.endsWith(innerGroup) ? cgroup.slice(0, -innerGroup.length) : cgroup;
