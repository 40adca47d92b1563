import { defineCommand, exactly } from "../../command.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME SNAPSHOT",
  description:
    "Put a volume's data back to a snapshot, which stays. What was written since is gone. No running container may use it.",
  arity: exactly(2),
  flags: {},
  async run({ session, args }) {
    const [name = "", snapshot = ""] = args;
    await session.client.call("POST", volumePath(name, `/snapshots/${encodeURIComponent(snapshot)}/restore`));
    return 0;
  },
});
