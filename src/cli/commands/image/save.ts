import { atLeast, defineCommand } from "../../command.ts";
import { platform } from "../../flags/common.ts";
import { string } from "../../flags/flag.ts";
import { platformQuery } from "../../run/image-path.ts";
import { saveTo } from "../../stream/save.ts";

export const command = defineCommand({
  usage: "IMAGE [IMAGE...]",
  arity: atLeast(1),
  flags: {
    output: string("output,o", "Write to a file, not to stdout"),
    platform: platform("Save only this platform (os[/arch[/variant]])"),
  },
  async run({ session, args, flags }) {
    await saveTo(flags.output, "save", () =>
      session.client.request("GET", "/images/get", {
        query: { names: args, platform: platformQuery(flags.platform, "invalid platform: ") },
      }),
    );
    return 0;
  },
});
