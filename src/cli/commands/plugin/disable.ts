import { defineCommand, exactly } from "../../command.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "PLUGIN",
  arity: exactly(1),
  flags: { force: bool("force,f", "Disable a plugin that is in use") },
  async run({ session, args, flags }) {
    const [name = ""] = args;
    await session.client.call("POST", `/plugins/${encodeURIComponent(name)}/disable`, {
      query: { force: flags.force || undefined },
    });
    session.out(name);
    return 0;
  },
});
