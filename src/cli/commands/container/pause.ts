import { at } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";

export const command = defineCommand({
  hosted: true,
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: {},
  run: ({ session, args }) => each(session, args, (id) => session.client.call("POST", at(id, "/pause"))),
});
