import { defineCommand, exactly } from "../../command.ts";
import { readContext, setConfigKey } from "../../contexts/store.ts";

export const command = defineCommand({
  usage: "CONTEXT",
  arity: exactly(1),
  flags: {},
  async run({ session, args }) {
    const [name = ""] = args;
    if (name !== "default") readContext(session.configFolder, name);
    setConfigKey(session.configFolder, "currentContext", name === "default" ? undefined : name);
    session.out(name);
    session.err(`Current context is now ${JSON.stringify(name)}`);
    const overriding = ["BERTH_HOST", "DOCKER_HOST"].find((variable) => process.env[variable]);
    if (overriding && name !== "default")
      session.err(
        `Warning: ${overriding} environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset ${overriding} environment variable.`,
      );
    return 0;
  },
});
