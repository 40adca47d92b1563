import { defaultConfigFolder } from "./config-file.ts";
import { bool, type FlagValues, list, string } from "./flags/flag.ts";

const truthy = (name: string): boolean =>
  !["", undefined, "0", "false", "FALSE", "False", "f", "F"].includes(process.env[name]);

/** Options before the command. */
export function globalFlags() {
  const folder = defaultConfigFolder();
  const shown = (file: string): { shownDefault: string } => ({
    shownDefault: JSON.stringify(`${folder}/${file}`),
  });
  return {
    config: string("config", "Folder of the client's configuration", folder),
    context: string(
      "context,c",
      "Context whose engine to talk to (beats DOCKER_HOST and the current context)",
    ),
    debug: bool("debug,D", "Say more"),
    host: list("host,H", "Socket of the engine to talk to"),
    logLevel: string("log-level,l", 'How much to log ("debug", "info", "warn", "error", "fatal")', "info"),
    tls: bool("tls", "Use TLS (implied by --tlsverify)", truthy("DOCKER_TLS")),
    tlscacert: string("tlscacert", "Trust certificates signed by this CA only", "", shown("ca.pem")),
    tlscert: string("tlscert", "File of the client's TLS certificate", "", shown("cert.pem")),
    tlskey: string("tlskey", "File of the client's TLS key", "", shown("key.pem")),
    tlsverify: bool("tlsverify", "Use TLS and verify the engine", Boolean(process.env["DOCKER_TLS_VERIFY"])),
    version: bool("version,v", "Print the version and quit"),
  };
}

export type GlobalValues = FlagValues<ReturnType<typeof globalFlags>>;
