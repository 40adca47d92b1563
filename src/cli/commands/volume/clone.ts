import type { Volume } from "../../../types/api.ts";
import { defineCommand, exactly } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME NEW_VOLUME",
  description:
    "Make a copy of a volume under a new name. Where the file system can (xfs, btrfs), it takes no time and no room.",
  arity: exactly(2),
  flags: { pause: bool("pause,p", "Pause the containers that use it meanwhile", true) },
  async run({ session, args, flags }) {
    const [name = "", to = ""] = args;
    const volume = await session.client.json<Volume>("POST", volumePath(name, "/clone"), {
      query: { name: to, pause: flags.pause },
    });
    session.out(volume.Name);
    return 0;
  },
});
