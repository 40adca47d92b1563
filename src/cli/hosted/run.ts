import type { HostedCommand } from "../../lib/wire/hosted-command.ts";
import { main } from "../main.ts";
import { hostedCommands, hostedVariables } from "./commands.ts";
import { type Host, HostedSurroundings } from "./surroundings.ts";

const commands: ReadonlySet<string> = new Set(hostedCommands);

/**
 * Longest command line: characters of an argument, and arguments. What reads them was written for a process that may take its
 * time, and some of it takes the square of their length.
 */
const longest = 4096;
const most = 1000;

/** How a command ended: with an exit code, or before it did anything because it needs a process of its own. */
export type Outcome = { code: number } | { needs: string };

/** Runs a client's command line inside the engine. */
export async function runHosted(command: HostedCommand, host: Host): Promise<Outcome> {
  const { args, variables } = command;
  const [first = "", second = ""] = args;
  if (args.length > most || args.some((text) => text.length > longest)) return { needs: "so long a line" };
  if (!commands.has(first) && !commands.has(`${first} ${second}`)) return { needs: "this command" };
  for (const name of variables.keys())
    if (!hostedVariables.includes(name)) return { needs: `variable ${name}` };
  const around = new HostedSurroundings(command, host);
  try {
    const code = await main(args, around);
    return around.refusal === undefined ? { code } : { needs: around.refusal };
  } catch (error) {
    if (around.refusal === undefined) throw error;
    return { needs: around.refusal };
  }
}
