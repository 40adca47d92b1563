import { wait } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: {},
  async run({ session, args }) {
    const errors: string[] = [];
    for (const id of args) {
      try {
        const { ended } = await wait(session.client, id, "");
        session.out(String((await ended).StatusCode));
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    if (errors.length > 0) throw new CliError(errors.join("\n"));
    return 0;
  },
});
