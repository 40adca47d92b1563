import { named } from "../../../client/named.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { objectFormat } from "../../flags/common.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command = defineCommand({
  usage: "VOLUME [VOLUME...]",
  arity: atLeast(1),
  flags: { format: objectFormat() },
  run: ({ session, args, flags }) =>
    inspectAll(
      session,
      args,
      flags.format,
      async (name) => session.client.text("GET", `/volumes/${named("volume", name)}`),
      "volume.Volume",
    ),
});
