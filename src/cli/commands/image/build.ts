import { buildFlags } from "../../build/flags.ts";
import { defineCommand, exactly } from "../../command.ts";

export const command = defineCommand({
  usage: "PATH | URL | -",
  description: "Make an image of a Dockerfile and the files beside it",
  arity: exactly(1),
  flags: buildFlags,
  toldAs: "buildx build",
  async run({ session, args, flags }) {
    const [context = ""] = args;
    if (flags.listContext) {
      const { listContext } = await import("../../build/context/list-context.ts");
      return listContext(session, context, flags);
    }
    const { runBuild } = await import("../../build/run.ts");
    return runBuild(session, context, flags);
  },
});
