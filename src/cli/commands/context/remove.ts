import { atLeast, defineCommand } from "../../command.ts";
import { contextExists, removeContext, setConfigKey } from "../../contexts/store.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "CONTEXT [CONTEXT...]",
  usageWithoutOptions: true,
  arity: atLeast(1),
  flags: { force: bool("force,f", "Remove it even if it is the current one") },
  async run({ session, args, flags }) {
    const errors: string[] = [];
    for (const name of args) {
      try {
        if (name === "default") throw new CliError('context "default" cannot be removed');
        if (!flags.force && !contextExists(session.configFolder, name))
          throw new CliError(`context ${JSON.stringify(name)} does not exist`);
        const inUse = session.endpoint.context === name;
        if (inUse && !flags.force)
          throw new CliError(`context ${JSON.stringify(name)} is in use, set -f flag to force remove`);
        if (session.config.currentContext === name)
          setConfigKey(session.configFolder, "currentContext", undefined);
        removeContext(session.configFolder, name);
        session.out(name);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    if (errors.length > 0) throw new CliError(errors.join("\n"));
    return 0;
  },
});
