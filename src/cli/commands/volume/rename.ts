import { defineCommand, exactly } from "../../command.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME NEW_NAME",
  description: "Give a volume another name. Containers that use it keep it, running ones too.",
  arity: exactly(2),
  flags: {},
  async run({ session, args }) {
    const [name = "", to = ""] = args;
    await session.client.call("POST", volumePath(name, "/rename"), { query: { name: to } });
    return 0;
  },
});
