import { named } from "../../../client/named.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { objectFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command = defineCommand({
  usage: "NETWORK [NETWORK...]",
  arity: atLeast(1),
  flags: { format: objectFormat(), verbose: bool("verbose,v", "Say more") },
  run: ({ session, args, flags }) =>
    inspectAll(session, args, flags.format, async (name) =>
      session.client.text("GET", `/networks/${named("network", name)}`, {
        query: { verbose: flags.verbose || undefined },
      }),
    ),
});
