import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { imagePath } from "../../images/image-path.ts";

export const command = defineCommand({
  usage: "IMAGE [IMAGE...]",
  arity: atLeast(1),
  flags: {},
  run: ({ session, args }) =>
    each(session, args, (name) => session.client.call("DELETE", `/berth${imagePath(name, "/pin")}`)),
});
