import { Client } from "../client/client.ts";
import { type Host, HostError, parseHost } from "../client/host.ts";
import { readConfigFile } from "./config-file.ts";
import type { ConfigFile } from "./config-types.ts";
import { defaultHost, type Endpoint } from "./endpoint.ts";
import { CliError } from "./errors.ts";
import type { GlobalValues } from "./grammar/globals.ts";
import type { Surroundings } from "./surroundings.ts";

/** What one invocation of the program works with: its options, its configuration, its engine, its output. */
export class Session {
  readonly globals: GlobalValues;
  readonly around: Surroundings;
  private loadedConfig: ConfigFile | undefined;
  private openClient: Client | undefined;
  private early: Client | undefined;

  constructor(globals: GlobalValues, around: Surroundings) {
    this.globals = globals;
    this.around = around;
  }

  get configFolder(): string {
    return this.globals.config;
  }

  get config(): ConfigFile {
    this.loadedConfig ??=
      this.around.config ?? readConfigFile(this.configFolder, this.around.readText, (line) => this.err(line));
    return this.loadedConfig;
  }

  get client(): Client {
    if (this.openClient === undefined) {
      this.openClient = this.connect(false);
      this.early?.close();
    }
    return this.openClient;
  }

  /** For a command that does nothing while it waits for its answer: quicker to set up, but nothing runs beside it. */
  get blockingClient(): Client {
    return this.openClient ?? this.early ?? this.connect(true);
  }

  /** Connects while the command is still being loaded: an engine of ours takes it as a sign that a process is wanted soon. */
  connectEarly(): void {
    try {
      this.early = this.connect(true);
      this.early.connectEarly();
    } catch {
      return; // the command says so itself, where it needs its engine
    }
  }

  /** Writes text to stdout as it is. */
  write(text: string): void {
    this.around.write(1, text);
  }

  out(line: string): void {
    this.around.write(1, `${line}\n`);
  }

  err(line: string): void {
    this.around.write(2, `${line}\n`);
  }

  /** Order: --host, --context, DOCKER_HOST, DOCKER_CONTEXT, the configuration's current context, the default. */
  get endpoint(): Endpoint {
    const { host: hosts, context } = this.globals;
    if (hosts.length > 1) throw new CliError("specify only one -H");
    const [host] = hosts;
    if (host && context) throw new CliError("conflicting options: cannot specify both --host and --context");
    if (host) return this.plain(host, true);
    if (context) return this.ofContext(context);
    const environment = this.around.variable("BERTH_HOST") || this.around.variable("DOCKER_HOST");
    if (environment) return this.plain(environment, true);
    const current = this.around.variable("DOCKER_CONTEXT") || this.config.currentContext;
    return this.ofContext(current || "default");
  }

  private plain(url: string, named: boolean): Endpoint {
    const { tls, tlsverify } = this.globals;
    return { context: "default", url, tls: tls || tlsverify, named, skipTlsVerify: !tlsverify };
  }

  private ofContext(name: string): Endpoint {
    if (name === "default") return this.plain(defaultHost, false);
    this.around.needsProcess("a context");
    const { contextEndpoint } = require("./contexts/store.ts") as typeof import("./contexts/store.ts");
    return contextEndpoint(this.configFolder, name);
  }

  private connect(blocking: boolean): Client {
    const { endpoint, host } = this.resolve();
    const isSecure = host.kind === "tcp" && host.tls;
    // files that were asked for are missed whatever the host is
    const tls = isSecure || endpoint.tls ? this.tlsOptions(endpoint) : undefined;
    const { around } = this;
    const apiVersion = around.variable("DOCKER_API_VERSION")?.replace(/^v/, "");
    return new Client({
      host,
      blocking,
      ...(apiVersion ? { apiVersion } : {}),
      headers: { ...this.config.HttpHeaders, ...headersOf(around.variable("DOCKER_CUSTOM_HEADERS")) },
      ...(isSecure && tls ? { tls } : {}),
      ...(around.exchange ? { exchange: around.exchange } : {}),
      ...(endpoint.named
        ? {}
        : {
            onUnreachable: async () =>
              (await import("./auto-start.ts")).startEngine((line) => this.err(line)),
          }),
    });
  }

  /** Whom to talk to; what names nobody is told in docker's words. */
  private resolve(): { endpoint: Endpoint; host: Host } {
    try {
      const { endpoint } = this;
      return { endpoint, host: parseHost(endpoint.url, endpoint.tls) };
    } catch (error) {
      const text = (error as Error).message;
      if (!(error instanceof HostError) && !text.startsWith("context ")) throw error;
      throw new CliError(`Failed to initialize: unable to resolve docker endpoint: ${text}`, 1, {
        cause: error,
      });
    }
  }

  private tlsOptions({ tls, tlsFolder, skipTlsVerify }: Endpoint): Record<string, unknown> {
    const folder = tlsFolder ?? this.around.variable("DOCKER_CERT_PATH") ?? this.configFolder;
    const { tlscacert, tlscert, tlskey } = this.globals;
    const caFile = tlscacert || `${folder}/ca.pem`;
    const ca = this.around.readText(caFile);
    if (ca === undefined && tls && tlsFolder === undefined)
      throw new CliError(
        `Failed to initialize: unable to resolve docker endpoint: open ${caFile}: no such file or directory`,
      );
    const cert = this.around.readText(tlscert || `${folder}/cert.pem`);
    const key = this.around.readText(tlskey || `${folder}/key.pem`);
    return {
      rejectUnauthorized: !skipTlsVerify,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    };
  }
}

/** `k=v,k2=v2` of DOCKER_CUSTOM_HEADERS. */
function headersOf(text: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const item of text ? text.split(",") : []) {
    const at = item.indexOf("=");
    if (at <= 0)
      throw new CliError(
        `failed to set custom headers from DOCKER_CUSTOM_HEADERS environment variable: missing value in '${item}'`,
      );
    headers[item.slice(0, at).trim()] = item.slice(at + 1).trim();
  }
  return headers;
}
