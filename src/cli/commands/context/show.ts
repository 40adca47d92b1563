import { defineCommand, none } from "../../command.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {},
  async run({ session }) {
    session.out(session.endpoint.context);
    return 0;
  },
});
