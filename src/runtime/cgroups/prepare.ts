import { existsSync, readdirSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";
import { missingHierarchies } from "./missing.ts";

/** The kernel's side, so that a test can stand in for it. */
export interface CgroupHost {
  root: string;
  readFacts(): { controllers: string; mounts: string; unified: string };
  mount(folder: string, controller: string): void;
  unmount(folder: string): void;
}

/**
 * On a mixed host (version 1 hierarchies, version 2 beside them holding a controller) crun refuses to run. What
 * version 2 holds is mounted as a version 1 hierarchy, as cgroupfs-mount does at boot; what was mounted is recorded
 * so that `giveBack` can take it away. Gives the sentences to warn with.
 */
export async function mountHeld(host: CgroupHost, record: string): Promise<string[]> {
  const { held } = missingHierarchies(host.readFacts());
  const mounted: string[] = [];
  const warnings: string[] = [];
  for (const controller of held) {
    const folder = join(host.root, controller);
    try {
      host.mount(folder, controller);
      mounted.push(folder);
      warnings.push(
        `cgroup controller ${controller} was held by version 2 on a version 1 host: mounted at ${folder}`,
      );
    } catch (error) {
      warnings.push(
        `cgroup controller ${controller} is held by version 2 and cannot be moved: ${messageOf(error)}`,
      );
    }
  }
  if (mounted.length > 0) await writeRecord(record, [...(await readRecord(record)), ...mounted]);
  return warnings;
}

/** Takes away what `mountHeld` mounted, except where a group of anyone's is left. */
export async function giveBack(host: CgroupHost, record: string): Promise<void> {
  const kept = (await readRecord(record)).filter((folder) => {
    if (!existsSync(folder)) return false;
    if (hasGroups(folder)) return true;
    try {
      host.unmount(folder);
      return false;
    } catch {
      return true; // in use by someone after all: it stays, and stays recorded
    }
  });
  if (kept.length > 0) await writeRecord(record, kept);
  else await rm(record, { force: true });
}

const hasGroups = (folder: string): boolean =>
  readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isDirectory());

async function readRecord(record: string): Promise<string[]> {
  try {
    const value: unknown = JSON.parse(await readFile(record, "utf8"));
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  }
}

const writeRecord = (record: string, folders: string[]): Promise<void> =>
  writeFile(record, JSON.stringify([...new Set(folders)]));
