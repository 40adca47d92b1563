import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHost } from "../../client/host.ts";
import { messageOf } from "../../lib/errors.ts";
import { CliError } from "../errors.ts";
import { parseBool } from "../flags/flag.ts";
import { type ContextMeta, readContext, tlsFolder } from "./store.ts";

const keys = ["from", "host", "ca", "cert", "key", "skip-tls-verify"];

interface EndpointSettings {
  docker: NonNullable<ContextMeta["Endpoints"]["docker"]>;
  /** TLS files by their names in a context; none = they stay as they are */
  tls: Record<string, Buffer>;
}

/** What `--docker host=…,ca=…` says, over what another context (`from`) or `base` has. Reads the files it names. */
export function endpointSettings(
  folder: string,
  settings: Record<string, string>,
  base: EndpointSettings["docker"],
): EndpointSettings {
  const unknown = Object.keys(settings).find((key) => !keys.includes(key));
  if (unknown)
    throw new CliError(`unable to create docker endpoint config: unrecognized config key: ${unknown}`);
  const { from } = settings;
  const copied = from && from !== "default" ? (readContext(folder, from).Endpoints.docker ?? {}) : base;
  const host = settings["host"] ?? copied.Host;
  if (settings["host"]) checkHost(settings["host"]);
  const skip = settings["skip-tls-verify"];
  const given = Object.fromEntries(
    ["ca", "cert", "key"].flatMap((key) => (settings[key] ? [[`${key}.pem`, readFile(settings[key])]] : [])),
  );
  return {
    docker: {
      ...copied,
      ...(host === undefined ? {} : { Host: host }),
      SkipTLSVerify: skip ? parseBool(skip) : (copied.SkipTLSVerify ?? false),
    },
    tls: { ...(from ? tlsFiles(folder, from) : {}), ...given },
  };
}

const refused = (why: string): CliError => new CliError(`unable to create docker endpoint config: ${why}`);

/** A host that later commands could not use is told now, as docker's client does. */
function checkHost(host: string): void {
  if (!/^[^:]*:\/\/./.test(host))
    throw refused(`unable to apply docker endpoint options: unable to parse docker host \`${host}\``);
  try {
    parseHost(host, false);
  } catch (error) {
    throw refused(`invalid docker endpoint options: ${messageOf(error)}`);
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw refused(messageOf(error));
  }
}

/** The TLS files of a context, by name. */
export function tlsFiles(folder: string, name: string): Record<string, Buffer> {
  const path = join(tlsFolder(folder, name), "docker");
  if (!existsSync(path)) return {};
  return Object.fromEntries(readdirSync(path).map((file) => [file, readFileSync(join(path, file))]));
}
