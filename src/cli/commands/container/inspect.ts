import { inspectText } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { objectFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: { format: objectFormat(), size: bool("size,s", "Show sizes of files") },
  run: ({ session, args, flags }) =>
    inspectAll(session, args, flags.format, (name) => inspectText(session.client, name, flags.size)),
});
