import { named } from "../../../client/named.ts";
import { defineCommand, exactly } from "../../command.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  hosted: true,
  usage: "NETWORK CONTAINER",
  arity: exactly(2),
  flags: { force: bool("force,f", "Disconnect it by force") },
  async run({ session, args, flags }) {
    const [network = "", container = ""] = args;
    await session.client.call("POST", `/networks/${named("network", network)}/disconnect`, {
      json: { Container: container, Force: flags.force },
    });
    return 0;
  },
});
