import { between, defineCommand } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME [SNAPSHOT]",
  description:
    "Keep a volume's data as it is now, beside the volume; `restore` puts it back. Snapshots go with their volume.",
  arity: between(1, 2),
  flags: { pause: bool("pause,p", "Pause the containers that use it meanwhile", true) },
  async run({ session, args, flags }) {
    const [name = "", snapshot = ""] = args;
    const { Name } = await session.client.json<{ Name: string }>("POST", volumePath(name, "/snapshots"), {
      query: { name: snapshot, pause: flags.pause },
    });
    session.out(Name);
    return 0;
  },
});
