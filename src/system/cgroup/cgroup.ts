import { existsSync, readdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { signalPid } from "../process/signals.ts";
import { OwnCgroup } from "./own-cgroup.ts";

/**
 * Control groups as files below one root (`/sys/fs/cgroup`; a test gives its own folder). Version 2 has one hierarchy,
 * version 1 one per controller; `CgroupTree` names a group by its path in them all. Kernel: admin-guide/cgroup-v1 and
 * cgroup-v2. All calls are on kernel memory and take microseconds, but for removal, which may wait for RCU.
 */
export const cgroupRoot = "/sys/fs/cgroup";
const cgroup2Magic = 0x63677270;

export type CgroupLayout = "v1" | "v2" | "mixed";

const isCgroup2 = (folder: string): boolean => existsSync(folder) && statfsSync(folder).type === cgroup2Magic;

/** "mixed" = version 1 hierarchies, beside which version 2 is mounted at `unified`. */
export function cgroupLayout(root = cgroupRoot): CgroupLayout {
  if (isCgroup2(root)) return "v2";
  return isCgroup2(join(root, "unified")) ? "mixed" : "v1";
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);
/** What a group that is gone, or going, answers. */
const goneCodes = new Set(["ENOENT", "ENODEV"]);

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (goneCodes.has(codeOf(error))) return undefined;
    throw error;
  }
}

export class CgroupTree {
  private readonly root: string;
  readonly layout: CgroupLayout;
  private own: OwnCgroup | undefined;

  constructor(root = cgroupRoot, layout = cgroupLayout(root)) {
    this.root = root;
    this.layout = layout;
  }

  /** The roots of every hierarchy: one for version 2, one per mounted controller for version 1. */
  hierarchies(): string[] {
    if (this.layout === "v2") return [this.root];
    const entries = readdirSync(this.root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(this.root, entry.name));
  }

  /** Folder of the group in the hierarchy that has the controller. */
  private controller(name: string, group: string): string {
    return this.layout === "v2" ? join(this.root, group) : join(this.root, name, group);
  }

  /** Whether the host's kernel has the controller's file in its groups. */
  has(controller: string, group: string, file: string): boolean {
    return existsSync(join(this.controller(controller, group), file));
  }

  /** A file of the group without its last newline; undefined where the group, or the file, is not there. */
  async read(controller: string, group: string, file: string): Promise<string | undefined> {
    try {
      return (await readFile(join(this.controller(controller, group), file), "latin1")).trimEnd();
    } catch (error) {
      if (goneCodes.has(codeOf(error))) return undefined;
      throw error;
    }
  }

  /** Writes one value. It may take long: a lower memory limit makes the kernel free memory first. */
  async write(controller: string, group: string, file: string, value: string): Promise<void> {
    await writeFile(join(this.controller(controller, group), file), value, { flag: "r+" });
  }

  /**
   * Has the kernel prepare to move a process between groups. When none was moved for some 20 ms, the next move waits
   * for all CPUs to pass through the scheduler (an RCU grace period, 8 ms and more); a move of ourselves to where we are
   * makes it wait now, in a thread of its own, while the runtime is still being started. Moves soon after cost 0.1 ms.
   */
  async expectMove(): Promise<void> {
    this.own ??= new OwnCgroup((hierarchy) => {
      if (this.layout === "v2") return this.root;
      return hierarchy === "" ? undefined : join(this.root, hierarchy);
    });
    await this.own.moveHere();
  }

  /** The first hierarchy that knows the group, for lists of processes. */
  private anyFolder(group: string): string | undefined {
    return this.hierarchies()
      .map((hierarchy) => join(hierarchy, group))
      .find((folder) => existsSync(join(folder, "cgroup.procs")));
  }

  /** Every process of the group and of the groups below it. */
  pids(group: string): number[] {
    const folder = this.anyFolder(group);
    return folder === undefined ? [] : pidsBelow(folder);
  }

  /** Sends a signal to every process of the group, again until it finds no new one. */
  signalAll(group: string, signal: number): void {
    const seen = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const fresh = this.pids(group).filter((pid) => !seen.has(pid));
      if (fresh.length === 0) return;
      for (const pid of fresh) {
        seen.add(pid);
        signalPid(pid, signal);
      }
    }
  }

  /** Stops or continues every process of the group; resolves when the kernel has done so. */
  async freeze(group: string, frozen: boolean): Promise<void> {
    const v2 = this.layout === "v2";
    const folder = this.controller("freezer", group);
    writeFileSync(join(folder, v2 ? "cgroup.freeze" : "freezer.state"), freezeWord(v2, frozen));
    for (let waitMs = 1; waitMs < 1000 && this.isFrozen(group) !== frozen; waitMs *= 2)
      await Bun.sleep(waitMs);
  }

  isFrozen(group: string): boolean {
    const folder = this.controller("freezer", group);
    if (this.layout === "v2") return /^frozen 1$/m.test(readIfThere(join(folder, "cgroup.events")) ?? "");
    return readIfThere(join(folder, "freezer.state"))?.trim() === "FROZEN";
  }

  /** Whether it was told to freeze, be that done or still under way. */
  isFreezing(group: string): boolean {
    const folder = this.controller("freezer", group);
    if (this.layout === "v2") return readIfThere(join(folder, "cgroup.freeze"))?.trim() === "1";
    return /^FR(EEZING|OZEN)/.test(readIfThere(join(folder, "freezer.state")) ?? "");
  }

  /** How many processes of the group the kernel ended for want of memory. */
  oomKills(group: string): number {
    const file = this.layout === "v2" ? "memory.events" : "memory.oom_control";
    const text = readIfThere(join(this.controller("memory", group), file)) ?? "";
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** Groups directly below `group`, by name, of any hierarchy. */
  children(group: string): string[] {
    const names = this.hierarchies().flatMap((hierarchy) => foldersIn(join(hierarchy, group)));
    return [...new Set(names)];
  }

  /** Removes the group and those below it from every hierarchy; false while processes are still in it. */
  remove(group: string): boolean {
    return this.hierarchies()
      .map((hierarchy) => removeBelow(join(hierarchy, group)))
      .every((removed) => removed);
  }
}

const freezeWord = (v2: boolean, frozen: boolean): string => {
  if (v2) return frozen ? "1" : "0";
  return frozen ? "FROZEN" : "THAWED";
};

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (goneCodes.has(codeOf(error))) return [];
    throw error;
  }
}

function pidsBelow(folder: string): number[] {
  const own = (readIfThere(join(folder, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number);
  // 0 = a process of a pid namespace that we cannot see
  return [
    ...own.filter((pid) => pid > 0),
    ...foldersIn(folder).flatMap((name) => pidsBelow(join(folder, name))),
  ];
}

function removeBelow(folder: string): boolean {
  const below = foldersIn(folder).map((name) => removeBelow(join(folder, name)));
  if (below.includes(false)) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (goneCodes.has(codeOf(error))) return true;
    if (codeOf(error) === "EBUSY") return false;
    throw error;
  }
}
