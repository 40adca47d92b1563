import { defineCommand, exactly } from "../../command.ts";
import { int } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "PLUGIN",
  arity: exactly(1),
  flags: { timeout: int("timeout", "Seconds that the plugin gets to answer", 30) },
  async run({ session, args, flags }) {
    const [name = ""] = args;
    await session.client.call("POST", `/plugins/${encodeURIComponent(name)}/enable`, {
      query: { timeout: flags.timeout },
    });
    session.out(name);
    return 0;
  },
});
