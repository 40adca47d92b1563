import { PlainDisplay } from "../../build/display/plain.ts";
import { findRecord, readHistory, readLogs } from "../../build/report/history.ts";
import { atMost, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { string } from "../../flags/flag.ts";
import { writeNow } from "../../stdio.ts";

export const command = defineCommand({
  usage: "[BUILD]",
  description:
    "Show the steps of a build and what they printed (the last megabyte), as --progress plain does",
  arity: atMost(1),
  flags: {
    builder: string("builder", "Name of a builder; there is one"),
    progress: string("progress", 'How to show them: "plain"', "plain"),
  },
  async run({ session, args, flags }) {
    if (flags.progress !== "plain") throw new CliError("history logs are shown as --progress plain alone");
    const { ref, steps } = findRecord(await readHistory(session), args[0]);
    const logs = Map.groupBy(await readLogs(session, ref), ({ step }) => step);
    const display = new PlainDisplay((text) => writeNow(2, text));
    for (const [index, { name, startedAt, completedAt, cached, error }] of steps.entries()) {
      if (startedAt === undefined) continue;
      const vertex = { digest: String(index), inputs: [], name, started: startedAt, cached };
      const printed = logs.get(index) ?? [];
      if (printed.length > 0) display.take({ kind: "vertex", vertex });
      for (const { stream, time, data } of printed)
        display.take({ kind: "log", vertex: vertex.digest, stream, time, data });
      const ended = {
        ...vertex,
        ...(completedAt === undefined ? {} : { completed: completedAt }),
        ...(error === undefined ? {} : { error }),
      };
      display.take({ kind: "vertex", vertex: ended });
      display.refresh();
    }
    display.end();
    return 0;
  },
});
