import { named } from "../../../client/named.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  hosted: true,
  usage: "VOLUME [VOLUME...]",
  arity: atLeast(1),
  flags: {
    force: bool("force,f", "Remove pinned volumes too, and do not fail for volumes that are not there"),
  },
  run: ({ session, args, flags }) =>
    each(session, args, async (name) =>
      session.client.call("DELETE", `/volumes/${named("volume", name)}`, {
        // other clients force without meaning what is pinned
        query: { force: flags.force || undefined, pinned: flags.force || undefined },
      }),
    ),
});
