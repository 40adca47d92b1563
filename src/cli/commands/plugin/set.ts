import { atLeast, defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "PLUGIN KEY=VALUE [KEY=VALUE...]",
  arity: atLeast(2),
  flags: {},
  async run({ session, args }) {
    const [name = "", ...settings] = args;
    await session.client.call("POST", `/plugins/${encodeURIComponent(name)}/set`, { json: settings });
    return 0;
  },
});
