import { at } from "../../../client/containers.ts";
import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER NEW_NAME",
  arity: exactly(2),
  flags: {},
  async run({ session, args }) {
    const [from = "", to = ""] = args.map((name) => name.trim());
    if (from === "" || to === "") throw new CliError("Error: Neither old nor new names may be empty");
    try {
      await session.client.call("POST", at(from, "/rename"), { query: { name: to } });
    } catch (error) {
      session.err((error as Error).message);
      throw new CliError(`Error: failed to rename container named ${from}`);
    }
    return 0;
  },
});
