import { defineCommand, none } from "../../command.ts";
import { bash } from "../../grammar/completion-script.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {},
  async run({ session }) {
    session.write(await bash());
    return 0;
  },
});
