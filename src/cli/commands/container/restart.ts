import { restart } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { stopFlags, timeoutOf } from "../../flags/stop.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: stopFlags,
  run: ({ session, flags, args }) => {
    const query = { signal: flags.signal || undefined, t: timeoutOf(flags) };
    return each(session, args, (id) => restart(session.client, id, query));
  },
});
