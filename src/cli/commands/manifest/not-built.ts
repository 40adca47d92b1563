import { any, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";

/** `manifest create`, `annotate`, `push` and `rm`: lists kept on this machine until they are pushed. */
export const command = defineCommand({
  usage: "...",
  description: "Not built: an index is made by a build for several platforms, or by docker buildx imagetools",
  arity: any,
  flags: {},
  interspersed: false,
  run: ({ path }) => {
    throw new CliError(
      `${path} is not built in berth: build for several platforms (build --platform a,b --push), or use docker buildx imagetools create`,
    );
  },
});
