import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { string } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "[VOLUME]",
  description: "Change a cluster volume; there are such volumes in a swarm only",
  arity: exactly(1),
  flags: { availability: string("availability", "active, pause or drain", "active", { hidden: true }) },
  async run({ session, args }) {
    const [name = ""] = args;
    await session.client.text("GET", `/volumes/${encodeURIComponent(name)}`);
    throw new CliError("can only update cluster volumes");
  },
});
