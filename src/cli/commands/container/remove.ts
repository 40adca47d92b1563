import { remove } from "../../../client/containers.ts";
import { isNotFound } from "../../../client/errors.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each, skipped } from "../../each.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: {
    force: bool("force,f", "Remove it even if it runs (kills it)"),
    link: bool("link,l", "Remove the link of that name"),
    volumes: bool("volumes,v", "Remove its anonymous volumes too"),
  },
  run: ({ session, flags, args }) =>
    each(session, args, async (name): Promise<unknown> => {
      const id = name.replace(/^\/+|\/+$/g, "");
      if (id === "") throw new CliError("container name cannot be empty");
      return remove(session.client, id, { v: flags.volumes, force: flags.force, link: flags.link }).catch(
        (error) => {
          // Under --force a container that is gone already is as wanted: it is told, and is no failure.
          if (!(flags.force && isNotFound(error))) throw error;
          session.err((error as Error).message);
          return skipped;
        },
      );
    }),
});
