import { defineCommand, none } from "../../command.ts";
import { zsh } from "../../grammar/completion-script.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {},
  async run({ session }) {
    session.write(await zsh());
    return 0;
  },
});
