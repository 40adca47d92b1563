import { findRecord, readHistory } from "../../build/report/history.ts";
import { any, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, string } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "[BUILD...]",
  arity: any,
  flags: {
    all: bool("all", "Forget every build that is over"),
    builder: string("builder", "Name of a builder; there is one"),
  },
  async run({ session, args, flags }) {
    if (args.length === 0 && !flags.all) throw new CliError("ERROR: rm requires at least one argument");
    if (args.length > 0 && flags.all)
      throw new CliError("ERROR: rm requires either --all or at least one argument");
    const records = await readHistory(session);
    const chosen = flags.all
      ? records.filter(({ status }) => status !== "running")
      : args.map((given) => findRecord(records, given));
    for (const ref of new Set(chosen.map((record) => record.ref)))
      await session.client.call("DELETE", `/berth/build/history/${encodeURIComponent(ref)}`);
    return 0;
  },
});
