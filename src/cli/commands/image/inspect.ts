import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { objectFormat, platform } from "../../flags/common.ts";
import { imagePath, platformQuery } from "../../images/image-path.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command = defineCommand({
  usage: "IMAGE [IMAGE...]",
  arity: atLeast(1),
  flags: { format: objectFormat(), platform: platform("Platform of the image (os[/arch[/variant]])") },
  run: ({ session, args, flags }) => {
    const query = { platform: platformQuery(flags.platform) };
    return inspectAll(session, args, flags.format, async (name) => {
      if (name === "") throw new CliError("Error: No such image: ");
      return session.client.text("GET", imagePath(name, "/json"), { query });
    });
  },
});
