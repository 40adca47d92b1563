import { inspect } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, list, string } from "../../flags/flag.ts";
import { parseFlags } from "../../flags/parse.ts";
import type { Session } from "../../session.ts";
import { isTerminal } from "../../stdio.ts";
import { command as run } from "./run.ts";

/** Where the container's files are seen, and what runs once the link to them is there. */
const script = 'ln -sn /proc/1/root /target 2>/dev/null; cd /; exec "$@"';

export const command = defineCommand({
  usage: "CONTAINER [COMMAND] [ARG...]",
  description:
    "Run a shell with tools beside the processes of a running container whose image has none. The tools are those of another image (busybox unless --image names one); processes, network and, where it can be shared, IPC are the container's, and its files, with its volumes, are at /target.",
  arity: atLeast(1),
  interspersed: false,
  flags: {
    image: string("image", "Image with the tools", "busybox"),
    env: list("env,e", "Set environment variables"),
    noTty: bool("no-tty,T", "Give the command no terminal"),
    privileged: bool("privileged", "Give the command nearly all rights of the host"),
    user: string("user,u", "User to run as (<name|uid>[:<group|gid>])", "0:0"),
    volume: list("volume,v", "Mount a folder or volume beside the tools"),
  },
  async run({ session, args, flags, path }) {
    const [name = "", ...words] = args;
    const shared = await sharedWith(session, name);
    const terminal = !flags.noTty && isTerminal(0) && isTerminal(1);
    const options = [
      ...shared,
      "--rm",
      "--interactive",
      ...(terminal ? ["--tty"] : []),
      // to see the files and trace the processes of others
      ...(flags.privileged ? ["--privileged"] : ["--cap-add", "SYS_PTRACE"]),
      ...["--user", flags.user],
      ...["--entrypoint", "sh"],
      ...flags.env.flatMap((one) => ["--env", one]),
      ...flags.volume.flatMap((one) => ["--volume", one]),
      flags.image,
      ...["-c", script, "sh"],
      ...(words.length > 0 ? words : ["sh"]),
    ];
    const { args: rest, values, changed } = parseFlags(run.flags, options, false, session.around);
    return run.run({ session, args: rest, flags: values, changed: (key) => changed.has(key), path });
  },
});

/** Options that put a new container into the namespaces of a running one. */
async function sharedWith(session: Session, name: string): Promise<string[]> {
  const { Id, State, HostConfig } = await inspect(session.client, name);
  if (!State.Running || State.Paused)
    throw new CliError(
      `container ${name} is not running: start it first, or look at its files with cp, export or exec --stopped`,
    );
  const of = `container:${Id}`;
  const ipc =
    HostConfig.IpcMode === "shareable"
      ? ["--ipc", of]
      : HostConfig.IpcMode === "host"
        ? ["--ipc", "host"]
        : [];
  return ["--pid", of, "--network", of, ...ipc, "--label", `berth.debug=${Id}`];
}
