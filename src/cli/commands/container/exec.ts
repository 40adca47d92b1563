import type { HijackedStream } from "../../../client/client.ts";
import {
  execAttach,
  execCreate,
  execInspect,
  execJoin,
  execResize,
  execStart,
  inspect,
} from "../../../client/containers.ts";
import type { ExecCreateRequest } from "../../../types/api.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, list, string } from "../../flags/flag.ts";
import { readEnvFile } from "../../run/key-value-files.ts";
import { environmentVariable } from "../../run/values.ts";
import type { Session } from "../../session.ts";
import { isTerminal, windowSize } from "../../stdio.ts";
import { copyOutput, leftRunning, pump } from "../../stream/attached.ts";
import { followWindowSize } from "../../stream/signals.ts";

export const command = defineCommand({
  usage: "CONTAINER COMMAND [ARG...]",
  arity: atLeast(2),
  interspersed: false,
  flags: {
    detach: bool("detach,d", "Leave the command running in the background"),
    detachKeys: string("detach-keys", "Keys that detach this terminal from the command"),
    env: list("env,e", "Set environment variables", environmentVariable),
    envFile: list("env-file", "Read environment variables from a file"),
    interactive: bool("interactive,i", "Keep stdin open even when not attached"),
    privileged: bool("privileged", "Give the command nearly all rights of the host"),
    stopped: bool("stopped", "Run it also where the container does not, on its files alone"),
    tty: bool("tty,t", "Give the command a terminal"),
    user: string("user,u", "User to run as (<name|uid>[:<group|gid>])"),
    workdir: string("workdir,w", "Working directory"),
  },
  async run({ session, args, flags }) {
    const [container = "", ...words] = args;
    const env = [...flags.envFile.flatMap((path) => readEnvFile(path, session.around)), ...flags.env];
    const attached = !flags.detach;
    const size = flags.tty ? windowSize() : undefined;
    const detachKeys = flags.detachKeys || session.config.detachKeys || "";
    const request: ExecCreateRequest = {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: flags.tty,
      ...(size ? { ConsoleSize: [size.rows, size.columns] } : {}),
      AttachStdin: attached && flags.interactive,
      AttachStderr: attached,
      AttachStdout: attached,
      ...(detachKeys ? { DetachKeys: detachKeys } : {}),
      Env: env.length > 0 ? env : null,
      WorkingDir: flags.workdir,
      Cmd: words,
      ...(flags.stopped ? { Stopped: true } : {}),
    };
    if (attached && flags.interactive && flags.tty && !isTerminal(0)) {
      await inspect(session.client, container); // that there is no such container is the better answer
      throw new CliError("the input device is not a TTY");
    }
    const start = {
      Detach: flags.detach,
      Tty: flags.tty,
      ...(size ? { ConsoleSize: [size.rows, size.columns] } : {}),
    };
    if (!attached) {
      const { Id } = await execCreate(session.client, container, request);
      await execStart(session.client, Id, start);
      return 0;
    }
    const alone = !flags.interactive && !flags.tty;
    const client = alone ? session.blockingClient : session.client;
    const made = await (flags.tty ? execCreate : execJoin)(client, container, request);
    return "stream" in made ? follow(made.stream, request) : attachTo(session, made.Id, request, start);
  },
});

/** To the end of a command that tells its exit code on its stream. */
async function follow(stream: HijackedStream, { AttachStdin }: ExecCreateRequest): Promise<number> {
  let exitCode: number | undefined;
  const join = AttachStdin ? pump : copyOutput;
  await join(stream, {
    stdin: true,
    stdout: true,
    stderr: true,
    tty: false,
    detachKeys: "",
    onExit: (told) => {
      exitCode = told;
    },
  });
  if (exitCode === undefined) throw new CliError("the engine was lost before it told how the command ended");
  return exitCode;
}

async function attachTo(
  session: Session,
  id: string,
  request: ExecCreateRequest,
  start: object,
): Promise<number> {
  const { client } = session;
  const tty = request.Tty ?? false;
  const stream = await execAttach(client, id, start);
  const stop =
    tty && isTerminal(1) ? followWindowSize((size) => execResize(client, id, size), windowSize) : undefined;
  const ending = await pump(stream, {
    stdin: request.AttachStdin ?? false,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: request.DetachKeys ?? "",
  });
  stop?.();
  if (ending === "detached") throw leftRunning();
  return (await execInspect(client, id)).ExitCode ?? 0;
}
