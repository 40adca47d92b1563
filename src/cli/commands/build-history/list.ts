import { humanDuration } from "../../../lib/text/units.ts";
import type { WireBuildRecord } from "../../../types/local-build.ts";
import { duration, readHistory, recordName, statusName } from "../../build/report/history.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, string } from "../../flags/flag.ts";
import { tableText } from "../../output/table-text.ts";

const nameMax = 40;

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    builder: string("builder", "Name of a builder; there is one"),
    format: string("format", 'How to print: "json" for a JSON object a line', "table"),
    noTrunc: bool("no-trunc", "Show names as they are, however long"),
    quiet: bool("quiet,q", "Show only ids"),
  },
  async run({ session, flags }) {
    if (!["", "json", "table"].includes(flags.format))
      throw new CliError("templates for history are not built yet: use --format json");
    const records = await readHistory(session);
    if (flags.quiet) for (const { ref } of records) session.out(ref);
    else if (flags.format === "json")
      for (const record of records) session.out(JSON.stringify(summary(record)));
    else session.write(table(records, flags.noTrunc));
    return 0;
  },
});

function table(records: readonly WireBuildRecord[], whole: boolean): string {
  const rows = records.map((record) => {
    const name = recordName(record);
    const ago = `${humanDuration((Date.now() - record.startedAt) / 1000)} ago`;
    const shown = whole || name.length <= nameMax ? name : `${name.slice(0, nameMax - 1)}…`;
    return [record.ref, shown, statusName(record), ago, duration(record)];
  });
  return tableText([["BUILD ID", "NAME", "STATUS", "CREATED AT", "DURATION"], ...rows], 3);
}

/** In the words of docker's buildx. */
const summary = (record: WireBuildRecord) => ({
  cached_steps: record.steps.filter(({ cached }) => cached).length,
  ...(record.completedAt === undefined ? {} : { completed_at: new Date(record.completedAt).toISOString() }),
  completed_steps: record.steps.filter(({ completedAt }) => completedAt !== undefined).length,
  created_at: new Date(record.startedAt).toISOString(),
  name: recordName(record),
  ref: `default/default/${record.ref}`,
  status: statusName(record),
  total_steps: record.steps.length,
});
