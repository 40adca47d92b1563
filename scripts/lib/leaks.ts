/** What the machine holds that a test could forget: compared before and after. */
import { readdir, readFile, rmdir } from "node:fs/promises";
import { clearAbandonedHomes } from "../../tests/harness/homes.ts";

export type Holdings = Set<string>;

async function lines(command: string[]): Promise<string[]> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "ignore", stdin: "ignore" });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text.split("\n").filter(Boolean);
}

async function processes(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""); // it may have ended meanwhile
    if (/\b(conmon|crun|berth)\b/.test(command))
      found.push(`process ${pid} ${command.replaceAll("\0", " ").slice(0, 120)}`);
  }
  return found;
}

async function mounts(): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return text.split("\n").flatMap((line) => {
    // a version 1 cgroup hierarchy that crun needs stays mounted once it is (src/runtime/cgroups/prepare.ts)
    if (!line || / - cgroup cgroup /.test(line)) return [];
    return [`mount ${line.split(" ")[4]}`];
  });
}

/** Processes, mounts, links, network namespaces and nftables tables, a line each. */
export async function remember(): Promise<Holdings> {
  const links = (await lines(["ip", "-o", "link"])).map(
    (line) => `link ${line.split(": ")[1]?.split("@")[0]}`,
  );
  const tables = (await lines(["nft", "list", "tables"])).map((line) => `nft ${line}`);
  const cgroups = (await lines(["find", "/sys/fs/cgroup", "-type", "d", "-name", "berth*"])).map(
    (line) => `cgroup ${line}`,
  );
  return new Set([...(await processes()), ...(await mounts()), ...links, ...tables, ...cgroups]);
}

/** how long what is just going may take on a busy machine */
const goingMs = 20_000;

/** What is there now and was not before; waits for what is just going. */
export async function leaks(before: Holdings): Promise<string[]> {
  const end = performance.now() + goingMs;
  for (;;) {
    const left = [...(await remember())].filter((line) => !before.has(line));
    if (left.length === 0 || performance.now() > end) return left;
    await Bun.sleep(250);
  }
}

/** Takes away engines whose tests died, and the empty cgroups that a failed test left, which are told with its failure and would be told twice. */
export async function forgive(before: Holdings): Promise<void> {
  for (const home of await clearAbandonedHomes()) console.log(`left by what died: ${home}`);
  const groups = (await leaks(before)).filter((line) => line.startsWith("cgroup "));
  for (const line of groups.sort().reverse()) {
    console.log(`left by what failed: ${line}`);
    await rmdir(line.slice("cgroup ".length)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EBUSY" && error.code !== "ENOENT") throw error; // in use: it stays, and is told at the end
    });
  }
}
