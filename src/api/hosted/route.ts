import { EngineError, messageOf } from "../../lib/errors.ts";
import {
  commandLimit,
  commandProtocol,
  decodeCommand,
  type HostedCommand,
  MalformedCommand,
} from "../../lib/wire/hosted-command.ts";
import type { Call } from "../call.ts";
import type { Reply } from "../reply.ts";
import type { Route, Router } from "../router.ts";
import { exchange, type InnerRequest, type InnerResponse } from "./exchange.ts";
import { CommandOutput } from "./output.ts";

/** The client's code, which the API must not know: it is handed in where the program begins. */
export type RunHosted = (
  command: HostedCommand,
  host: HostOfCommand,
) => Promise<{ code: number } | { needs: string }>;

interface HostOfCommand {
  exchange: (request: InnerRequest) => Promise<InnerResponse>;
  write(fd: 1 | 2, data: string | Uint8Array): void;
  fault(error: unknown): void;
}

/** Commands that run, or whose output waits for its reader, at once; one more runs in its client's own process. */
const most = 64;

/**
 * `POST /berth/command`: runs a command line of the client inside the engine, on requests to `router` that are its caller's
 * own. Whatever keeps it from that is 409, and the client runs the command itself; so it is for a client of another build than
 * `build`, which may have other code.
 */
export function commandRoute(router: Router, load: () => Promise<RunHosted>, build: string): Route {
  let running = 0;
  const handler = async (call: Call): Promise<Reply> => {
    const command = await read(call, build);
    if (running >= most) throw refusal(`${most} commands run already`);
    running++;
    const output = new CommandOutput();
    abandonWith(call.signal, output);
    const done = perform(call, router, command, load, output);
    const needs = await Promise.race([done, output.wanted]);
    // what a client does not read stays in memory, and takes a place
    void Promise.all([done, needs === undefined && output.delivered]).then(() => running--);
    if (needs !== undefined) throw refusal(`${needs} needs a process of its own`);
    return { kind: "upgrade", protocol: commandProtocol, take: (socket) => output.take(socket) };
  };
  return { method: "POST", pattern: "/berth/command", handler };
}

function abandonWith(signal: AbortSignal, output: CommandOutput): void {
  if (signal.aborted) output.abandon();
  else signal.addEventListener("abort", () => output.abandon(), { once: true });
}

const refusal = (why: string): EngineError => new EngineError("conflict", `not run in the engine: ${why}`);

async function read(call: Call, build: string): Promise<HostedCommand> {
  if (!call.local) throw refusal("the connection comes from another machine");
  if (call.headers.upgrade !== commandProtocol)
    throw new EngineError("invalid", `the connection is to be upgraded to ${commandProtocol}`);
  const command = decode(await call.bytes(commandLimit));
  if (build === "" || command.build !== build) throw refusal(`this engine is of build ${build || "?"}`);
  return command;
}

function decode(bytes: Uint8Array): HostedCommand {
  try {
    return decodeCommand(bytes);
  } catch (error) {
    if (!(error instanceof MalformedCommand)) throw error;
    throw new EngineError("invalid", `malformed command line: ${error.message}`);
  }
}

/** Answers what the command needs, where it is to be refused; everything else is told in its output. */
async function perform(
  call: Call,
  router: Router,
  command: HostedCommand,
  load: () => Promise<RunHosted>,
  output: CommandOutput,
): Promise<string | undefined> {
  const changes = new Changes(call, router, output);
  const fault = (error: unknown): void =>
    call.engine.logger.error("a hosted command failed", {
      command: command.args[0],
      error: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
  try {
    const run = await load();
    const outcome = await run(command, {
      exchange: (request) => changes.exchange(request),
      write: (fd, data) => output.write(fd, data),
      fault,
    });
    if ("code" in outcome) output.end(outcome.code);
    else if (!changes.begun) return outcome.needs;
    else if (changes.none) output.giveBack();
    else throw new Error(`it changed something, and then needed a process for ${outcome.needs}`);
  } catch (error) {
    fault(error);
    output.write(2, `${messageOf(error)}\n`);
    output.end(1);
  }
  return undefined;
}

/** The requests of one command, and whether they may have changed anything. */
class Changes {
  /** the connection is the command's: its caller will not run it again unless it is told to */
  begun = false;
  /** changing requests that are under way, or were not answered 404 */
  private made = 0;
  private readonly call: Call;
  private readonly router: Router;
  private readonly output: CommandOutput;
  private readonly signal: AbortSignal;

  constructor(call: Call, router: Router, output: CommandOutput) {
    this.call = call;
    this.router = router;
    this.output = output;
    this.signal = call.signal;
  }

  get none(): boolean {
    return this.made === 0;
  }

  async exchange(request: InnerRequest): Promise<InnerResponse> {
    if (request.method === "GET" || request.method === "HEAD") return this.pass(request);
    this.begun = true;
    this.made++;
    await this.output.begin();
    const response = await this.pass(request);
    if (response.status === 404) this.made--;
    else this.output.release();
    return response;
  }

  private pass(request: InnerRequest): Promise<InnerResponse> {
    if (this.signal.aborted) throw new EngineError("unavailable", "the client is gone");
    return exchange(this.call.engine, this.router, request, this.signal);
  }
}
