import { defaultConfigFolder } from "../config-file.ts";
import { bool, type Flag, list, string } from "../flags/flag.ts";
import type { Surroundings } from "../surroundings.ts";

const truthy = (value: string | undefined): boolean =>
  !["", undefined, "0", "false", "FALSE", "False", "f", "F"].includes(value);

/** What the options before the command are where none is given. */
export const globalDefaults = (around: Surroundings) => ({
  config: defaultConfigFolder(around),
  context: "",
  debug: false,
  host: [] as readonly string[],
  logLevel: "info",
  tls: truthy(around.variable("DOCKER_TLS")),
  tlscacert: "",
  tlscert: "",
  tlskey: "",
  tlsverify: Boolean(around.variable("DOCKER_TLS_VERIFY")),
  version: false,
});

export type GlobalValues = Readonly<ReturnType<typeof globalDefaults>>;

/** Options before the command. */
export function globalFlags(around: Surroundings): { [K in keyof GlobalValues]: Flag<GlobalValues[K]> } {
  const { config: folder, logLevel, tls, tlsverify } = globalDefaults(around);
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
    logLevel: string("log-level,l", 'How much to log ("debug", "info", "warn", "error", "fatal")', logLevel),
    tls: bool("tls", "Use TLS (implied by --tlsverify)", tls),
    tlscacert: string("tlscacert", "Trust certificates signed by this CA only", "", shown("ca.pem")),
    tlscert: string("tlscert", "File of the client's TLS certificate", "", shown("cert.pem")),
    tlskey: string("tlskey", "File of the client's TLS key", "", shown("key.pem")),
    tlsverify: bool("tlsverify", "Use TLS and verify the engine", tlsverify),
    version: bool("version,v", "Print the version and quit"),
  };
}
