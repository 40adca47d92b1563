import { PlainDisplay } from "../../build/display/plain.ts";
import { findRecord, readHistory } from "../../build/history.ts";
import { atMost, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { string } from "../../flags/flag.ts";
import { writeNow } from "../../stdio.ts";

export const command = defineCommand({
  usage: "[BUILD]",
  description: "Show the steps of a build as --progress plain does; what they printed is not kept",
  arity: atMost(1),
  flags: {
    builder: string("builder", "Name of a builder; there is one"),
    progress: string("progress", 'How to show them: "plain"', "plain"),
  },
  async run({ session, args, flags }) {
    if (flags.progress !== "plain") throw new CliError("history logs are shown as --progress plain alone");
    const { steps } = findRecord(await readHistory(session), args[0]);
    const display = new PlainDisplay((text) => writeNow(2, text));
    for (const [index, { name, startedAt, completedAt, cached, error }] of steps.entries()) {
      if (startedAt === undefined) continue;
      const ended = completedAt === undefined ? {} : { completed: completedAt };
      const vertex = { digest: String(index), inputs: [], name, started: startedAt, cached, ...ended };
      display.take({ kind: "vertex", vertex: error === undefined ? vertex : { ...vertex, error } });
      display.refresh();
    }
    display.end();
    return 0;
  },
});
