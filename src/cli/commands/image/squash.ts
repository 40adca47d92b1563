import { defineCommand, exactly } from "../../command.ts";
import { string } from "../../flags/flag.ts";
import { imagePath } from "../../images/image-path.ts";

export const command = defineCommand({
  usage: "IMAGE",
  arity: exactly(1),
  flags: {
    from: string("from", "Keep the layers of this image, and make one of those above it"),
    tag: string("tag,t", "Name of the new image"),
  },
  async run({ session, args, flags }) {
    const { Id } = await session.client.json<{ Id: string }>(
      "POST",
      `/berth${imagePath(args[0] ?? "", "/squash")}`,
      {
        query: { from: flags.from || undefined, reference: flags.tag || undefined },
      },
    );
    session.out(Id);
    return 0;
  },
});
