import { at, list } from "../../../client/containers.ts";
import { isNotFound } from "../../../client/errors.ts";
import { jsonLines } from "../../../lib/wire/json-lines.ts";
import { any, defineCommand } from "../../command.ts";
import { listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import { emptyStats, type StatsRow, statsRow, statsRows } from "../../output/rows/stats-rows.ts";
import type { Session } from "../../session.ts";

const redrawMs = 500;

export const command = defineCommand({
  usage: "[CONTAINER...]",
  arity: any,
  flags: {
    all: bool("all,a", "Show all containers, not only those that run"),
    format: listFormat(),
    noStream: bool("no-stream", "Show the first figures and end"),
    noTrunc: bool("no-trunc", "Do not shorten"),
  },
  async run({ session, args, flags }) {
    const format = flags.format || session.config.statsFormat || "";
    const table =
      "{{if .Name}}{{.ID}}{{else}}{{.Container}}{{end}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";
    const show = (rows: StatsRow[]): string => formatList(statsRows(flags.noTrunc), rows, { format, table });
    const names = async (): Promise<string[]> =>
      args.length > 0 ? args : (await list(session.client, { all: flags.all })).map(({ Id }) => Id);
    if (flags.noStream) {
      session.write(show(await Promise.all((await names()).map((name) => once(session, name)))));
      return 0;
    }
    return watch(session, names, show, args.length > 0);
  },
});

const query = (stream: boolean): { query: { stream: string } } => ({ query: { stream: stream ? "1" : "0" } });

async function once(session: Session, name: string): Promise<StatsRow> {
  return statsRow(name, await session.client.json("GET", at(name, "/stats"), query(false)));
}

/** Redraws the latest figures of every container until none of the named ones is left. */
async function watch(
  session: Session,
  names: () => Promise<string[]>,
  show: (rows: StatsRow[]) => string,
  fixed: boolean,
): Promise<number> {
  const rows = new Map<string, StatsRow>();
  const follow = async (name: string): Promise<void> => {
    rows.set(name, emptyStats(name));
    try {
      const response = await session.client.request("GET", at(name, "/stats"), query(true));
      for await (const stats of jsonLines(response.body))
        rows.set(name, statsRow(name, stats as Parameters<typeof statsRow>[1]));
    } catch (error) {
      if (fixed || !isNotFound(error)) throw error;
    }
    rows.delete(name);
  };
  let failure: unknown;
  for (;;) {
    for (const name of fixed && rows.size > 0 ? [] : await names()) {
      if (!rows.has(name))
        follow(name).catch((error) => {
          failure = error;
        });
    }
    await Bun.sleep(redrawMs);
    if (failure) throw failure;
    session.write(`\x1b[H\x1b[J${show([...rows.values()])}`);
    if (fixed && rows.size === 0) return 0;
  }
}
