import { inspectText } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { objectFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { inspectAll } from "../../output/inspect.ts";
import { asFlag, printRecipes } from "../../recipe/print.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: { as: asFlag(), format: objectFormat(), size: bool("size,s", "Show sizes of files") },
  run: ({ session, args, flags }) =>
    flags.as
      ? printRecipes(session, args, flags.as, flags.format)
      : inspectAll(session, args, flags.format, (name) =>
          inspectText(session.client, name, flags.size, flags.format),
        ),
});
