/** Engines of test runs that were killed: each home tells which process made it. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearHome, processesWith, run } from "./engine.ts";

/** Ends what is left of engines whose test process is gone, or is this one (`own`), and their folders; gives those. */
export async function clearAbandonedHomes({ own } = { own: false }): Promise<string[]> {
  const cleared: string[] = [];
  for (const name of await readdir(tmpdir())) {
    const home = join(tmpdir(), name);
    if (!name.startsWith("berth-engine-") || !(await isOurs(home))) continue;
    const owner = await readFile(join(home, "owner"), "utf8").catch(() => ""); // of no test of ours, or just gone
    if (owner === "" || (!(own && owner === String(process.pid)) && (await isAlive(owner)))) continue;
    const namespaces = await networksOf(home);
    const group = groupNameOf(home);
    await clearHome(home);
    await endAllIn(namespaces);
    // deepest first; one in which something is still ending stays
    if (group !== "")
      await run([
        "find",
        "/sys/fs/cgroup",
        "-depth",
        "-type",
        "d",
        "-path",
        `*/${group}*`,
        "-exec",
        "rmdir",
        "{}",
        ";",
      ]);
    cleared.push(home);
  }
  return cleared;
}

/** Anybody may make a folder of that name in a place for temporary files, or a link. */
async function isOurs(home: string): Promise<boolean> {
  const there = await lstat(home).catch(() => undefined); // just gone
  return there?.isDirectory() === true && there.uid === process.getuid?.();
}

/** Of one that has ended, and that nobody has waited for, the command line is empty. */
const isAlive = async (pid: string): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")) !== "";

/** The name of the control group above all of its containers', "" where it had not come so far. */
function groupNameOf(home: string): string {
  const file = join(home, "data/state.db");
  if (!existsSync(file)) return "";
  const state = new Database(file);
  try {
    const row = state.query<{ value: string }, []>("SELECT value FROM facts WHERE key = 'engine id'").get();
    return row && row.value.length >= 8 ? `berth-${row.value.slice(0, 8)}` : "";
  } catch {
    return ""; // it was killed while it made its database
  } finally {
    state.close();
  }
}

const networkOf = (pid: number | "self"): Promise<string> => readlink(`/proc/${pid}/ns/net`).catch(() => ""); // it has ended

/** The network namespaces of an engine and its monitors, but this machine's own. */
async function networksOf(home: string): Promise<Set<string>> {
  const found = await Promise.all((await processesWith(`${home}/`)).map(networkOf));
  return new Set(found.filter((one) => one !== "")).difference(new Set([await networkOf("self")]));
}

/** What holds such a namespace and what was started in it: registries, clients, servers. */
async function endAllIn(namespaces: ReadonlySet<string>): Promise<void> {
  if (namespaces.size === 0) return;
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || !namespaces.has(await networkOf(Number(name)))) continue;
    try {
      process.kill(Number(name), "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // gone meanwhile
    }
  }
}
