import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "PLUGIN [PLUGIN...]",
  arity: atLeast(1),
  flags: { force: bool("force,f", "Remove plugins that are in use") },
  run: ({ session, args, flags }) =>
    each(session, args, (name) =>
      session.client.call("DELETE", `/plugins/${encodeURIComponent(name)}`, {
        query: { force: flags.force || undefined },
      }),
    ),
});
