import type { HttpRequest, HttpResponse } from "../../client/http.ts";
import type { HostedCommand } from "../../lib/wire/hosted-command.ts";
import type { ConfigFile } from "../config-types.ts";
import { CliError } from "../errors.ts";
import type { Surroundings, WindowSize } from "../surroundings.ts";
import { barringSettings, barringVariables, hostedVariables } from "./commands.ts";

/** The command needs what only a process of its caller's has. */
class NeedsProcess extends Error {}

/** What the engine lends a command that it runs. */
export interface Host {
  exchange: (request: HttpRequest, signal?: AbortSignal) => Promise<HttpResponse>;
  write(fd: 1 | 2, data: string | Uint8Array): void;
  /** is told of what no command should end with */
  fault(error: unknown): void;
}

/** bytes of an answer that is read in the engine */
const answerMax = 2 << 20;

const unset: ReadonlySet<string> = new Set([...hostedVariables, ...barringVariables]);

/**
 * What its caller sent, and nothing else. The first reach for anything more refuses the whole command, whatever becomes of
 * the error: much code takes an error for an answer, and could go on without what it asked for.
 */
export class HostedSurroundings implements Surroundings {
  /** what the command needed; undefined = nothing so far */
  refusal: string | undefined;
  readonly config: ConfigFile;
  readonly exchange: Host["exchange"];
  private readonly command: HostedCommand;
  private readonly host: Host;

  constructor(command: HostedCommand, host: Host) {
    this.command = command;
    this.host = host;
    this.config = this.settings();
    this.exchange = async (request, signal) => {
      this.goOn();
      const response = await host.exchange(request, signal);
      return { ...response, body: this.bounded(response.body) };
    };
  }

  variable(name: string): string | undefined {
    const value = this.command.variables.get(name);
    if (value === undefined && !unset.has(name)) this.needsProcess(`variable ${name}`);
    return value;
  }

  folder(): string {
    return this.command.folder;
  }

  terminal(fd: 0 | 1 | 2): WindowSize | undefined {
    return this.command.terminals[fd] ? this.command.window : undefined;
  }

  write(fd: 1 | 2, data: string | Uint8Array): void {
    this.goOn();
    this.host.write(fd, data);
  }

  readText(): never {
    this.needsProcess("a file");
  }

  needsProcess(what: string): never {
    this.refusal ??= what;
    return this.goOn() as never;
  }

  failed(error: unknown): void {
    if (this.refusal === undefined && isFault(error)) this.host.fault(error);
  }

  /** To read what is long would hold up the engine. */
  private async *bounded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let length = 0;
    for await (const piece of body) {
      length += piece.length;
      if (length > answerMax) this.needsProcess("so long an answer");
      yield piece;
    }
  }

  private goOn(): void {
    if (this.refusal !== undefined) throw new NeedsProcess(`${this.refusal} needs a process`);
  }

  /** The launcher sends nothing where the file has one of the keys that may be asked for; its logins stay where they are. */
  private settings(): ConfigFile {
    return new Proxy<ConfigFile>(
      {},
      {
        get: (_file, key) =>
          barringSettings.includes(String(key)) ? undefined : this.needsProcess("config.json"),
      },
    );
  }
}

/** Of the code, not of who uses it; also as the cause of a sentence. */
const isFault = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  (error instanceof CliError && isFault(error.cause));
