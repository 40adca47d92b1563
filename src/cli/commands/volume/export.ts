import { defineCommand, exactly } from "../../command.ts";
import { string } from "../../flags/flag.ts";
import { saveTo } from "../../stream/save.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME",
  description: "Write a volume's files as a tar archive, to stdout by default",
  arity: exactly(1),
  flags: { output: string("output,o", "Write to a file, not to stdout") },
  async run({ session, args, flags }) {
    await saveTo(flags.output, "export", () =>
      session.client.request("GET", volumePath(args[0] ?? "", "/archive")),
    );
    return 0;
  },
});
