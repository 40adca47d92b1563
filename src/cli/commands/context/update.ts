import { defineCommand, exactly } from "../../command.ts";
import { endpointSettings } from "../../contexts/endpoint.ts";
import { checkContextName, readContext, writeContext, writeTls } from "../../contexts/store.ts";
import { string, strings } from "../../flags/flag.ts";
import { pairs } from "../../run/key-value-files.ts";

export const command = defineCommand({
  usage: "CONTEXT",
  arity: exactly(1),
  flags: {
    description: string("description", "What the context is for"),
    docker: strings("docker", "The engine: host=…,ca=…,cert=…,key=…,skip-tls-verify=…"),
  },
  async run({ session, args, flags, changed }) {
    const [name = ""] = args;
    const folder = session.configFolder;
    checkContextName(name);
    const meta = readContext(folder, name);
    if (changed("description")) meta.Metadata.Description = flags.description;
    if (flags.docker.length > 0) {
      const { docker, tls } = endpointSettings(folder, pairs(flags.docker), {});
      meta.Endpoints.docker = docker;
      if (Object.keys(tls).length > 0) writeTls(folder, name, tls);
    }
    writeContext(folder, meta);
    session.out(name);
    session.err(`Successfully updated context ${JSON.stringify(name)}`);
    return 0;
  },
});
