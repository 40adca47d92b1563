import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { volumePath } from "./path.ts";

export const command = defineCommand({
  usage: "VOLUME [VOLUME...]",
  description: "Let prune take a volume again",
  arity: atLeast(1),
  flags: {},
  run: ({ session, args }) =>
    each(session, args, (name) => session.client.call("POST", volumePath(name, "/unpin"))),
});
