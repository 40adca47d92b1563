import { isNotFound } from "../../../client/errors.ts";
import { named } from "../../../client/named.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  hosted: true,
  usage: "NETWORK [NETWORK...]",
  usageWithoutOptions: true,
  arity: atLeast(1),
  flags: { force: bool("force,f", "Do not fail for networks that are not there") },
  async run({ session, args, flags }) {
    let failed = false;
    for (const name of args) {
      try {
        await session.client.call("DELETE", `/networks/${named("network", name)}`);
        session.out(name);
      } catch (error) {
        if (flags.force && isNotFound(error)) continue;
        session.err((error as Error).message);
        failed = true;
      }
    }
    if (failed) throw new CliError("exit status 1");
    return 0;
  },
});
