import { attach, kill, remove, resize, start, wait } from "../../../client/containers.ts";
import type { ContainerCreateRequest, WaitResponse } from "../../../types/api.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, string } from "../../flags/flag.ts";
import { createContainer, prepare } from "../../run/create.ts";
import { runExitCode, withHelp } from "../../run/failure.ts";
import { containerFlags } from "../../run/flags.ts";
import { waitHealthy, waitTimeout } from "../../run/wait-healthy.ts";
import type { Session } from "../../session.ts";
import { isTerminal, windowSize } from "../../stdio.ts";
import { type Ending, pump } from "../../stream/attached.ts";
import { followWindowSize, proxySignals } from "../../stream/signals.ts";

export const command = defineCommand({
  usage: "IMAGE [COMMAND] [ARG...]",
  arity: atLeast(1),
  interspersed: false,
  flags: {
    ...containerFlags,
    detach: bool("detach,d", "Leave it running in the background and print its id"),
    detachKeys: string("detach-keys", "Keys that detach this terminal from the container"),
    sigProxy: bool("sig-proxy", "Pass signals on to the process", true),
    wait: bool("wait", "Return once it is healthy, or runs where it has no health check; implies --detach"),
    waitTimeout: waitTimeout(),
  },
  async run({ session, flags, args, changed }) {
    let request: ContainerCreateRequest;
    try {
      request = prepare(session, flags, args, changed);
      if (flags.detach || flags.wait) detachAll(request, flags.attach.length > 0);
      else checkTerminal(request);
    } catch (error) {
      throw error instanceof CliError ? error : withHelp("run", error, 125);
    }
    const id = await createContainer(session, session.client, request, flags).catch((error) => {
      throw withHelp("run", error, runExitCode(error));
    });
    const options = {
      detachKeys: flags.detachKeys || session.config.detachKeys || "",
      sigProxy: flags.sigProxy,
    };
    const running = new Running(session, id, request, options);
    const code = await running.go();
    if (flags.wait) await waitHealthy(session, id, flags.waitTimeout);
    return code;
  },
});

function detachAll(request: ContainerCreateRequest, asked: boolean): void {
  if (asked) throw new CliError("conflicting options: cannot specify both --attach and --detach");
  Object.assign(request, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false });
}

function checkTerminal({ AttachStdin, Tty }: ContainerCreateRequest): void {
  if (AttachStdin && Tty && !isTerminal(0)) throw new CliError("the input device is not a TTY", 1);
}

/** A created container on its way through start, streams and end. */
class Running {
  private readonly session: Session;
  private readonly id: string;
  private readonly request: ContainerCreateRequest;
  private readonly options: { detachKeys: string; sigProxy: boolean };
  private readonly stops: (() => void)[] = [];

  constructor(
    session: Session,
    id: string,
    request: ContainerCreateRequest,
    options: { detachKeys: string; sigProxy: boolean },
  ) {
    this.session = session;
    this.id = id;
    this.request = request;
    this.options = options;
  }

  async go(): Promise<number> {
    const { AttachStdin, AttachStdout, AttachStderr, Tty } = this.request;
    const attached = AttachStdin || AttachStdout || AttachStderr;
    if (attached && this.options.sigProxy && !Tty)
      this.stops.push(proxySignals((signal) => kill(this.session.client, this.id, signal)));
    try {
      return await this.run(Boolean(attached), Boolean(Tty));
    } finally {
      for (const stop of this.stops) stop();
    }
  }

  private async run(attached: boolean, tty: boolean): Promise<number> {
    const { client } = this.session;
    // Neither depends on the other, and both must stand before the start.
    const attaching = attached ? this.attach() : undefined;
    const condition = this.request.HostConfig?.AutoRemove ? "removed" : "next-exit";
    const [streaming, { ended }] = await Promise.all([attaching, wait(client, this.id, condition)]);
    // Left unread until it matters; a failure there must not be thrown to nobody.
    ended.catch(() => undefined);
    try {
      await start(client, this.id);
    } catch (error) {
      if (this.request.HostConfig?.AutoRemove)
        // an engine asked by an old API removes nothing, and tells no end of what has not begun
        await (client.isOlderThan("1.25") ? remove(client, this.id, { v: true }) : ended);
      // there is a container all the same: a script is told which
      if (!attached) this.session.out(this.id);
      throw withHelp("run", error, runExitCode(error));
    }
    if (attached && tty && isTerminal(1))
      this.stops.push(followWindowSize((size) => resize(client, this.id, size), windowSize));
    if (!streaming) {
      this.session.out(this.id);
      return 0;
    }
    if ((await streaming.ending) === "detached") return 0;
    return exitCode(await ended);
  }

  /** Resolves once attached; `ending` when the streams have ended. */
  private async attach(): Promise<{ ending: Promise<Ending> }> {
    const {
      AttachStdin: stdin = false,
      AttachStdout: stdout = false,
      AttachStderr: stderr = false,
      Tty: tty = false,
    } = this.request;
    const { detachKeys } = this.options;
    const stream = await attach(this.session.client, this.id, { stdin, stdout, stderr, detachKeys });
    return { ending: pump(stream, { stdin, stdout, stderr, tty, detachKeys }) };
  }
}

function exitCode({ StatusCode, Error: problem }: WaitResponse): number {
  if (problem?.Message) throw new CliError(`Error waiting for container: ${problem.Message}`, 125);
  return StatusCode;
}
