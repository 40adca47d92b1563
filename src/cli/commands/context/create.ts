import { readFileSync } from "node:fs";
import { parseHost } from "../../../client/host.ts";
import { defineCommand, exactly } from "../../command.ts";
import {
  type ContextMeta,
  checkContextName,
  readContext,
  writeContext,
  writeTls,
} from "../../context-store.ts";
import { CliError } from "../../errors.ts";
import { parseBool, string, strings } from "../../flags/flag.ts";
import { pairs } from "../../run/key-value-files.ts";

const keys = ["from", "host", "ca", "cert", "key", "skip-tls-verify"];

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
    if (exists(folder, name)) throw new CliError(`context ${JSON.stringify(name)} already exists`);
    const settings = pairs(flags.docker);
    const unknown = Object.keys(settings).find((key) => !keys.includes(key));
    if (unknown)
      throw new CliError(`unable to create docker endpoint config: unrecognized config key: ${unknown}`);
    const source = flags.from || settings["from"];
    const base: ContextMeta["Endpoints"]["docker"] =
      source && source !== "default" ? readContext(folder, source).Endpoints.docker : {};
    const host = settings["host"] ?? base?.Host ?? session.endpoint.url;
    parseHost(host, false);
    const skip = settings["skip-tls-verify"];
    writeContext(folder, {
      Name: name,
      Metadata: flags.description ? { Description: flags.description } : {},
      Endpoints: {
        docker: {
          ...base,
          Host: host,
          SkipTLSVerify: skip ? parseBool(skip) : (base?.SkipTLSVerify ?? false),
        },
      },
    });
    const files = Object.fromEntries(
      ["ca", "cert", "key"].flatMap((key) =>
        settings[key] ? [[`${key}.pem`, readFileSync(settings[key])]] : [],
      ),
    );
    if (Object.keys(files).length > 0) writeTls(folder, name, files);
    session.out(name);
    session.err(`Successfully created context ${JSON.stringify(name)}`);
    return 0;
  },
});

function exists(folder: string, name: string): boolean {
  try {
    readContext(folder, name);
    return true;
  } catch (error) {
    if (/context not found/.test((error as Error).message)) return false;
    throw error;
  }
}
