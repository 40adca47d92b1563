import { closeSync, fstatSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import {
  attachTree,
  cloneTree,
  detachTree,
  MountNamespace,
} from "../../system/namespaces/mount-namespace.ts";
import type { Spec } from "../../types/runtime-spec.ts";
import type { OciRuntime } from "../oci-runtime/oci-runtime.ts";
import { keptPoints } from "./places.ts";
import { type LaunchPlan, planLaunch } from "./plan.ts";

interface LauncherOptions {
  /** a folder of the exec root's */
  folder: string;
  /** what conmon and the runtime must find: the engine's roots, their own programs */
  paths: readonly string[];
  /** the runtime whose needs are known: another may look for files and mounts of the host's that are not there */
  runtime: OciRuntime;
  logger: Logger;
}

/** Calls a function at the place where programs are started. */
export type Enter = <T>(act: () => T) => T;

/** One container that is being made. */
interface Launch {
  spec: Spec;
  enter: Enter;
  /** once the runtime has made it, or failed */
  release(): void;
}

const onHost: Enter = (act) => act();

/**
 * Where conmon and the runtime run: a mount namespace with the system's mounts and none of the containers' (decision
 * 0067). On the host's own, a runtime copies, reads and drops every running container's mounts to make one more.
 * Where that cannot be had, programs are started on the host's mounts, as others do.
 */
export class Launcher {
  private readonly options: LauncherOptions;
  private namespace: Promise<MountNamespace | undefined> | undefined;
  private made: MountNamespace | undefined;

  /** Lets go of what an engine that was killed had left attached: deleting a mount point ends the mount everywhere. */
  constructor(options: LauncherOptions) {
    this.options = options;
    rmSync(options.folder, { recursive: true, force: true });
  }

  /** For what needs nothing of the host's mounts but the system's: a process in a container that runs. */
  enterBy(runtime: OciRuntime): Enter {
    const namespace = runtime === this.options.runtime ? this.made : undefined;
    return namespace ? (act) => namespace.enter(act) : onHost;
  }

  /** Shows the runtime what the specification names; it gets the specification as it reads there. */
  async open(
    id: string,
    { spec, runtime, ownFiles }: { spec: Spec; runtime: OciRuntime; ownFiles: readonly string[] },
  ): Promise<Launch> {
    const folder = join(this.options.folder, id);
    const plan = runtime === this.options.runtime ? planLaunch(spec, { folder, ownFiles }) : undefined;
    this.namespace ??= this.make();
    const namespace = await this.namespace;
    if (!plan || !namespace) return { spec, enter: onHost, release: () => undefined };
    try {
      return show(namespace, plan, { folder, logger: this.options.logger });
    } catch (error) {
      // a source that is not there, say: the runtime itself is to complain, in its words
      this.options.logger.debug("launch on the host's mounts", { container: id, error: messageOf(error) });
      return { spec, enter: onHost, release: () => undefined };
    }
  }

  close(): void {
    this.made?.close();
    this.made = undefined;
  }

  private async make(): Promise<MountNamespace | undefined> {
    const { folder, paths, logger } = this.options;
    try {
      const real = await Promise.all([...paths, ...paths.map((path) => realpath(path))]);
      const points = keptPoints(await readFile("/proc/self/mountinfo", "utf8"), real);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const namespace = MountNamespace.make(points, folder);
      const seen = (): string => paths.map(identity).join(" ");
      if (seen() !== namespace.enter(seen))
        throw new EngineError("internal", "it does not show the engine's folders");
      this.made = namespace;
      return namespace;
    } catch (error) {
      logger.warn("containers are launched on the host's mounts: many of them will start slowly", {
        error: messageOf(error),
      });
      return undefined;
    }
  }
}

function identity(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

/** Clones of the trees on the host, attached over there; whatever fails, nothing is left. */
function show(
  namespace: MountNamespace,
  plan: LaunchPlan,
  { folder, logger }: { folder: string; logger: Logger },
): Launch {
  const undo: (() => void)[] = [];
  const release = (): void => {
    for (const step of undo.splice(0).reverse())
      try {
        step();
      } catch (error) {
        logger.warn("something of a launch stays behind", { folder, error: messageOf(error) });
      }
  };
  try {
    mkdirSync(folder, { mode: 0o700 });
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const paths = new Map<string, string>();
    for (const path of plan.namespaces) {
      const fd = openSync(path, "r");
      undo.push(() => closeSync(fd));
      paths.set(path, `/proc/${process.pid}/fd/${fd}`);
    }
    attachAll(namespace, plan, undo);
    return { spec: plan.spec(paths), enter: (act) => namespace.enter(act), release };
  } catch (error) {
    release();
    throw error;
  }
}

function attachAll(namespace: MountNamespace, { trees }: LaunchPlan, undo: (() => void)[]): void {
  const clones: { tree: number; target: string }[] = [];
  const attached: string[] = [];
  undo.push(() => {
    if (attached.length > 0) namespace.enter(() => attached.reverse().forEach(detachTree));
  });
  try {
    for (const [index, { source, target, recursive }] of trees.entries()) {
      const tree = cloneTree(source, { recursive });
      clones.push({ tree, target });
      if (index > 0) makePlace(target, fstatSync(tree).isDirectory());
    }
    namespace.enter(() => {
      for (const { tree, target } of clones) {
        attachTree(tree, target);
        attached.push(target);
      }
    });
  } finally {
    for (const { tree } of clones) closeSync(tree);
  }
}

function makePlace(path: string, isFolder: boolean): void {
  if (isFolder) mkdirSync(path, { mode: 0o700 });
  else writeFileSync(path, "", { flag: "wx", mode: 0o600 });
}
