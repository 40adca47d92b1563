import { EngineError } from "../../lib/errors.ts";
import { runCommand } from "../../system/process/process.ts";
import type { TopResponse } from "../../types/api.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";

const argumentsMax = 4096;
const psTimeoutMs = 30_000;
/** bytes: the processes of a whole machine, with their arguments */
const psOutputMax = 16 * 1024 * 1024;
/** the kernel takes no argument of 128 KiB; each is 8 bytes at most */
const pidsMax = 16_000;

/**
 * `GET /containers/{id}/top`: the host's `ps`, and of what it says the container's processes. It is asked for these alone,
 * whoever's they are and whatever terminal they have; some of its options do not go with that, and ask for all.
 */
export async function top(ctx: Context, container: Container, psArgs: string): Promise<TopResponse> {
  if (!container.alive) throw new EngineError("conflict", `container ${container.id} is not running`);
  if (psArgs.length > argumentsMax) throw new EngineError("invalid", "the arguments for ps are too long");
  // `ps` keeps the order in which it is asked, and the kernel's is any
  const pids = (await ctx.runtime.pids(container.id)).sort((a, b) => a - b).map(String);
  const args = psArgs.split(/[ \t\n]+/).filter(Boolean);
  const run = (...more: string[]) =>
    runCommand(["ps", ...args, ...more], psTimeoutMs, { keptMax: psOutputMax });
  let said = pids.length > pidsMax ? await run() : await run(`-q${pids.join(",")}`);
  if (said.exitCode !== 0 && pids.length <= pidsMax) said = await run();
  if (said.exitCode !== 0)
    throw new EngineError("internal", `ps: ${said.stderr.trim().split("\n")[0] ?? ""}`);
  const table = readTable(said.stdout, new Set(pids));
  tell(ctx, container, "top");
  return table;
}

/** Columns as `ps` titles them; the last one holds the rest of its line. */
export function readTable(text: string, pids: ReadonlySet<string>): TopResponse {
  const [header = "", ...lines] = text.split("\n");
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf("PID");
  if (pidColumn < 0) throw new EngineError("internal", "Couldn't find PID field in ps output");
  const rows = lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    if (!pids.has(words[pidColumn] ?? "")) return [];
    return [[...words.slice(0, titles.length - 1), words.slice(titles.length - 1).join(" ")]];
  });
  return { Processes: rows, Titles: titles };
}
