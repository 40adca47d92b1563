import { atLeast, defineCommand } from "../../command.ts";
import { objectFormat } from "../../flags/common.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command = defineCommand({
  usage: "PLUGIN [PLUGIN...]",
  arity: atLeast(1),
  flags: { format: objectFormat() },
  run: ({ session, args, flags }) =>
    inspectAll(session, args, flags.format, (name) =>
      session.client.text("GET", `/plugins/${encodeURIComponent(name)}/json`),
    ),
});
