import { kill } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { string } from "../../flags/flag.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: { signal: string("signal,s", "Signal to send") },
  run: ({ session, flags, args }) => each(session, args, (id) => kill(session.client, id, flags.signal)),
});
