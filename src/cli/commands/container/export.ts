import { at } from "../../../client/containers.ts";
import { defineCommand, exactly } from "../../command.ts";
import { string } from "../../flags/flag.ts";
import { saveTo } from "../../stream/save.ts";

export const command = defineCommand({
  usage: "CONTAINER",
  arity: exactly(1),
  flags: { output: string("output,o", "Write to a file, not to stdout") },
  async run({ session, args, flags }) {
    await saveTo(flags.output, "export", () => session.client.request("GET", at(args[0] ?? "", "/export")));
    return 0;
  },
});
