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
    if (flags.from && flags.docker.length > 0)
      throw new CliError("cannot use --docker flag when --from is set");
    const settings = { ...(flags.from ? { from: flags.from } : {}), ...pairs(flags.docker) };
    const { docker, tls } = endpointSettings(folder, settings, { Host: session.endpoint.url });
    writeContext(folder, {
      Name: name,
      Metadata: { Description: flags.description || describedBy(folder, flags) },
      Endpoints: { docker },
    });
    if (Object.keys(tls).length > 0) writeTls(folder, name, tls);
    session.out(name);
    session.err(`Successfully created context ${JSON.stringify(name)}`);
    return 0;
  },
});

/** The description of what it is a copy of: another context, or what the client was told without any. */
function describedBy(folder: string, { from, docker }: { from: string; docker: readonly string[] }): string {
  if (docker.length > 0) return "";
  return from && from !== "default"
    ? (readContext(folder, from).Metadata.Description ?? "")
    : defaultDescription;
}
