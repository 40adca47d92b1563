import { atLeast, defineCommand } from "../../command.ts";
import { createContainer, prepare } from "../../run/create.ts";
import { withHelp } from "../../run/failure.ts";
import { containerFlags } from "../../run/flags.ts";

export const command = defineCommand({
  hosted: true,
  usage: "IMAGE [COMMAND] [ARG...]",
  arity: atLeast(1),
  interspersed: false,
  flags: containerFlags,
  async run({ session, flags, args, changed }) {
    let request: ReturnType<typeof prepare>;
    try {
      request = prepare(session, flags, args, changed);
    } catch (error) {
      throw withHelp("create", error, 125);
    }
    session.out(await createContainer(session, session.blockingClient, request, flags));
    return 0;
  },
});
