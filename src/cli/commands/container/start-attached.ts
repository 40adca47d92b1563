import { attach, inspect, kill, resize, start, wait } from "../../../client/containers.ts";
import type { Session } from "../../session.ts";
import { isTerminal, windowSize } from "../../stdio.ts";
import { pump } from "../../stream/attached.ts";
import { followWindowSize, proxySignals } from "../../stream/signals.ts";

/** `start --attach` and `--interactive`: one container, with its output here; answers its exit code. */
export async function startAttached(
  session: Session,
  name: string,
  options: { output: boolean; input: boolean; detachKeys: string; entrypoint?: string[] },
): Promise<number> {
  const { client } = session;
  const { Id, Config, HostConfig } = await inspect(client, name);
  const { Tty: tty } = Config;
  const stdin = options.input && Config.OpenStdin;
  const stopProxy = tty ? undefined : proxySignals((signal) => kill(client, Id, signal));
  const stream = await attach(client, Id, {
    stdin,
    stdout: true,
    stderr: true,
    detachKeys: options.detachKeys,
  });
  const pumping = pump(stream, { stdin, stdout: true, stderr: true, tty, detachKeys: options.detachKeys });
  const { ended } = await wait(client, Id, HostConfig.AutoRemove ? "removed" : "next-exit");
  ended.catch(() => undefined); // read below, where it matters
  await start(client, Id, { entrypoint: options.entrypoint });
  const stopResize =
    tty && isTerminal(1) ? followWindowSize((size) => resize(client, Id, size), windowSize) : undefined;
  const ending = await pumping;
  stopResize?.();
  if (ending === "detached") return 0;
  const { StatusCode } = await ended;
  stopProxy?.();
  return StatusCode;
}
