import { unknownCommand, unknownTopic } from "../grammar/help.ts";
import { programName } from "../program.ts";
import type { Session } from "../session.ts";
import { findPlugin } from "./find.ts";
import { readMetadata } from "./metadata.ts";

/** What a plugin may take for granted of the client that calls it; it is run as docker's client would run it. */
const callerVariable = "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND";

/**
 * A first word that is no command of ours: where docker's client has a plugin of that name, as compose, it is run with
 * the whole command line, `DOCKER_HOST` at our engine, and our descriptors. Its exit code is ours.
 * `isTopic`: it is only asked about, by `help`.
 */
export async function runPlugin(
  session: Session,
  word: string,
  argv: readonly string[],
  isTopic: boolean,
): Promise<number> {
  const path = findPlugin(session, word);
  const valid = path !== undefined && (await isValid(path));
  if (path === undefined || !valid) throw isTopic ? unknownTopic(word) : unknownCommand(word);
  return runToEnd([path, ...argv], await environmentOf(session));
}

async function isValid(path: string): Promise<boolean> {
  try {
    await readMetadata(path);
    return true;
  } catch {
    return false; // as docker has it, a program that does not introduce itself is not there
  }
}

/**
 * The plugin finds the engine as docker's client does, so options and contexts reach it as they are; our own variable
 * and our own default socket, where an engine may have to be started first, are told by `DOCKER_HOST`.
 */
async function environmentOf(session: Session): Promise<Record<string, string | undefined>> {
  const { host, context } = session.globals;
  const env = {
    ...process.env,
    DOCKER_CONFIG: session.configFolder,
    [callerVariable]: programName,
  };
  const endpoint = session.endpoint;
  if (!endpoint.named) await session.client.text("GET", "/_ping").catch(() => undefined); // the plugin will tell why
  const ours = !endpoint.named || process.env["BERTH_HOST"];
  return host.length > 0 || context || !ours ? env : { ...env, DOCKER_HOST: endpoint.url };
}

const passedOn = ["SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** A terminal tells the whole group of an interrupt; what only we are told is passed on. */
async function runToEnd(command: string[], env: Record<string, string | undefined>): Promise<number> {
  const child = Bun.spawn(command, { env, stdio: ["inherit", "inherit", "inherit"] });
  const pass = (signal: NodeJS.Signals): void => child.kill(signal);
  for (const signal of passedOn) process.on(signal, pass);
  process.on("SIGINT", (signal) => {
    if (!process.stdin.isTTY) pass(signal);
  });
  return child.exited;
}
