import { attach, inspect, kill, resize, wait } from "../../../client/containers.ts";
import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, string } from "../../flags/flag.ts";
import { isTerminal, windowSize } from "../../stdio.ts";
import { leftRunning, pump } from "../../stream/attached.ts";
import { followWindowSize, proxySignals } from "../../stream/signals.ts";

export const command = defineCommand({
  usage: "CONTAINER",
  arity: exactly(1),
  flags: {
    detachKeys: string("detach-keys", "Keys that detach this terminal from the container"),
    noStdin: bool("no-stdin", "Do not pass stdin on"),
    sigProxy: bool("sig-proxy", "Pass signals on to the process", true),
  },
  async run({ session, args, flags }) {
    const { client } = session;
    const [name = ""] = args;
    const { State, Config } = await inspect(client, name);
    if (!State.Running) throw new CliError("You cannot attach to a stopped container, start it first");
    if (State.Paused) throw new CliError("You cannot attach to a paused container, unpause it first");
    if (State.Restarting)
      throw new CliError("You cannot attach to a restarting container, wait until it is running");
    const { Tty: tty } = Config;
    const stdin = Config.OpenStdin && !flags.noStdin;
    if (stdin && tty && !isTerminal(0)) throw new CliError("the input device is not a TTY");
    const detachKeys = flags.detachKeys || session.config.detachKeys || "";
    const { ended } = await wait(client, name, "");
    ended.catch(() => undefined); // read below, where it matters
    const stopProxy =
      flags.sigProxy && !tty ? proxySignals((signal) => kill(client, name, signal)) : undefined;
    const stream = await attach(client, name, { stdin, stdout: true, stderr: true, detachKeys });
    const stopResize =
      tty && isTerminal(1) ? followWindowSize((size) => resize(client, name, size), windowSize) : undefined;
    const ending = await pump(stream, { stdin, stdout: true, stderr: true, tty, detachKeys });
    stopResize?.();
    if (ending === "detached") throw leftRunning();
    const { StatusCode, Error: problem } = await ended;
    stopProxy?.();
    if (problem?.Message) throw new CliError(problem.Message);
    return StatusCode;
  },
});
