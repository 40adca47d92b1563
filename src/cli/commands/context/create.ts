import { defineCommand, exactly } from "../../command.ts";
import { endpointSettings } from "../../contexts/endpoint.ts";
import {
  checkContextName,
  contextExists,
  defaultDescription,
  readContext,
  writeContext,
  writeTls,
} from "../../contexts/store.ts";
import { CliError } from "../../errors.ts";
import { string, strings } from "../../flags/flag.ts";
import { pairs } from "../../run/key-value-files.ts";

export const command = defineCommand({
  usage: "CONTEXT",
  arity: exactly(1),
  flags: {
    description: string("description", "What the context is for"),
    docker: strings("docker", "The engine: host=…,ca=…,cert=…,key=…,skip-tls-verify=…"),
    from: string("from", "Context to copy"),
  },
  async run({ session, args, flags }) {
    const [name = ""] = args;
    const folder = session.configFolder;
    checkContextName(name);
    if (contextExists(folder, name)) throw new CliError(`context ${JSON.stringify(name)} already exists`);
    const settings = { ...(flags.from ? { from: flags.from } : {}), ...pairs(flags.docker) };
    const { docker, tls } = endpointSettings(folder, settings, { Host: session.endpoint.url });
    writeContext(folder, {
      Name: name,
      Metadata: { Description: flags.description || describedBy(folder, flags.from) },
      Endpoints: { docker },
    });
    if (Object.keys(tls).length > 0) writeTls(folder, name, tls);
    session.out(name);
    session.err(`Successfully created context ${JSON.stringify(name)}`);
    return 0;
  },
});

/** What the new context is made of: another one, or what the client was told without any. */
const describedBy = (folder: string, from: string): string =>
  from && from !== "default" ? (readContext(folder, from).Metadata.Description ?? "") : defaultDescription;
