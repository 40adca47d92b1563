import { defineCommand, none } from "../../command.ts";
import { fish } from "../../grammar/completion-script.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {},
  async run({ session }) {
    session.write(await fish());
    return 0;
  },
});
