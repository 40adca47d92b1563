import { named } from "../../../client/named.ts";
import { familiarName, parseReference } from "../../../lib/image/reference.ts";
import { between, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, list, string } from "../../flags/flag.ts";

export const command = defineCommand({
  usage: "CONTAINER [REPOSITORY[:TAG]]",
  arity: between(1, 2),
  flags: {
    author: string("author,a", "Author of the image"),
    change: list("change,c", "Dockerfile instructions to apply"),
    message: string("message,m", "What changed"),
    pause: bool("pause,p", "Pause the container meanwhile", true),
  },
  async run({ session, args, flags }) {
    const [container = "", name] = args;
    named("container", container);
    const reference = name ? parseReference(name) : undefined;
    if (reference?.digest) throw new CliError("refusing to create a tag with a digest reference");
    const { Id } = await session.client.json<{ Id: string }>("POST", "/commit", {
      query: {
        author: flags.author || undefined,
        changes: flags.change.length > 0 ? [...flags.change] : undefined,
        comment: flags.message || undefined,
        container: container,
        pause: flags.pause ? undefined : "0",
        repo: reference && familiarName(reference),
        tag: reference?.tag ?? (reference ? "latest" : undefined),
      },
    });
    session.out(Id);
    return 0;
  },
});
