import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHost } from "../../client/host.ts";
import { CliError } from "../errors.ts";
import { parseBool } from "../flags/flag.ts";
import { type ContextMeta, readContext, tlsFolder } from "./store.ts";

const keys = ["from", "host", "ca", "cert", "key", "skip-tls-verify"];

export interface EndpointSettings {
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
  if (host !== undefined) parseHost(host, false);
  const skip = settings["skip-tls-verify"];
  const given = Object.fromEntries(
    ["ca", "cert", "key"].flatMap((key) =>
      settings[key] ? [[`${key}.pem`, readFileSync(settings[key])]] : [],
    ),
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

/** The TLS files of a context, by name. */
export function tlsFiles(folder: string, name: string): Record<string, Buffer> {
  const path = join(tlsFolder(folder, name), "docker");
  if (!existsSync(path)) return {};
  return Object.fromEntries(readdirSync(path).map((file) => [file, readFileSync(join(path, file))]));
}
