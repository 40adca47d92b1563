import type { WireBuildRecord } from "../../../types/local-build.ts";
import { duration, findRecord, readHistory, recordName, statusName } from "../../build/report/history.ts";
import { stepCosts, stepReasons } from "../../build/report/step-tables.ts";
import { atMost, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { string } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "[BUILD]",
  description: "Show all that is known of a build; of the last one, when none is named (^1: the one before)",
  arity: atMost(1),
  flags: {
    builder: string("builder", "Name of a builder; there is one"),
    format: string("format", 'How to print: "pretty" or "json"', "pretty"),
  },
  async run({ session, args, flags }) {
    if (!["", "json", "pretty"].includes(flags.format))
      throw new CliError("templates for history are not built yet: use --format json");
    const record = findRecord(await readHistory(session), args[0]);
    if (flags.format === "json") session.out(JSON.stringify(record, undefined, 2));
    else session.write(pretty(record));
    return 0;
  },
});

function pretty(record: WireBuildRecord): string {
  const { steps, target, platforms, buildArgs, tags, images, error } = record;
  const cached = steps.filter((step) => step.cached).length;
  const share = steps.length === 0 ? 0 : Math.round((cached * 100) / steps.length);
  const facts: [string, string | undefined][] = [
    ["Name", recordName(record)],
    ["Ref", record.ref],
    ["Dockerfile", record.dockerfile],
    ["Target", target],
    ["Platforms", platforms.join(", ")],
    ["Build Args", buildArgs.join(", ")],
    ["Tags", tags.join(", ")],
    ["Images", images.join(", ")],
    ["Status", statusName(record)],
    ["Started", new Date(record.startedAt).toISOString()],
    ["Duration", duration(record)],
    ["Error", error],
    ["Build Steps", `${steps.length} (${share}% cached)`],
  ];
  const head = facts.flatMap(([name, value]) => (value ? [`${`${name}:`.padEnd(13)}${value}\n`] : []));
  const shown = steps.map(({ startedAt, completedAt, ...rest }) => ({
    ...rest,
    started: startedAt,
    completed: completedAt,
  }));
  return `${head.join("")}\n${stepReasons(shown)}\n${stepCosts(shown)}`;
}
