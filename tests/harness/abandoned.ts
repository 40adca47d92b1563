import { existsSync, rmdirSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { comesTrue } from "./until.ts";

/** What a failed test left of its containers: their processes may be frozen, and name nothing of the engine. */
const root = "/sys/fs/cgroup";

interface Group {
  /** folder in one hierarchy */
  path: string;
  pids: number[];
}

/** Thaws, kills and removes whatever is in a control group whose path names one of the containers. */
export async function endAbandoned(containerIds: readonly string[]): Promise<void> {
  if (containerIds.length === 0) return;
  const groups = await groupsOf(containerIds);
  for (const { path } of groups) {
    const [file, value] = existsSync(join(path, "freezer.state"))
      ? ["freezer.state", "THAWED"]
      : ["cgroup.freeze", "0"];
    if (existsSync(join(path, file))) await writeFile(join(path, file), value);
  }
  for (const pid of new Set(groups.flatMap(({ pids }) => pids))) kill(pid);
  await comesTrue(async () => (await groupsOf(containerIds)).length === 0, { ms: 20_000 });
  for (const { path } of groups.reverse()) removeGroup(path);
}

/** The groups, in every hierarchy, of processes that are in a group of one of the containers. */
async function groupsOf(ids: readonly string[]): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/cgroup`, "utf8").catch(() => ""); // it may have ended meanwhile
    for (const line of text.split("\n")) {
      const [, controllers = "", group = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (!ids.some((id) => group.includes(id))) continue;
      const path = join(root, controllers.replace(/^name=/, ""), group);
      const known = groups.get(path) ?? { path, pids: [] };
      known.pids.push(Number(name));
      groups.set(path, known);
    }
  }
  return [...groups.values()];
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // gone meanwhile
  }
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    // gone, or something is still ending in it: no test depends on it
    if (!["ENOENT", "EBUSY", "ENOTEMPTY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
