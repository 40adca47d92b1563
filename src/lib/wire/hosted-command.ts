/**
 * A command line that a client lets the engine run for it: `POST /berth/command`, upgraded to `berth-command`. The body is
 * strings that each end with a NUL; the answer is frames as of Docker's multiplexed streams (docs/hosted-commands.md).
 */
export const commandProtocol = "berth-command";

/** Streams of frames beside stdout (1) and stderr (2): the exit code in one byte, and "run it yourself after all", empty. */
export const exitFrame = 3;
export const ownProcessFrame = 4;

/** Longest body, bytes. */
export const commandLimit = 64 << 10;

export interface HostedCommand {
  /** of the client; an engine of another build does not run it */
  build: string;
  /** the client's working directory */
  folder: string;
  /** whether stdin, stdout and stderr are terminals */
  terminals: readonly [boolean, boolean, boolean];
  /** of stdout, where that is one */
  window: { rows: number; columns: number };
  variables: ReadonlyMap<string, string>;
  /** without the program's own name */
  args: readonly string[];
}

/** A body that no client of ours sends. */
export class MalformedCommand extends Error {}

export function encodeCommand({
  build,
  folder,
  terminals,
  window,
  variables,
  args,
}: HostedCommand): Uint8Array {
  const flags = terminals.map(Number).join("");
  const environment = [...variables].map(([name, value]) => `${name}=${value}`);
  const shown = `${flags} ${window.rows} ${window.columns}`;
  const strings = [build, folder, shown, String(environment.length), ...environment, ...args];
  return new TextEncoder().encode(strings.map((text) => `${text}\0`).join(""));
}

/** Throws `MalformedCommand`. Text that is no UTF-8 is none that a command could pass on unharmed. */
export function decodeCommand(bytes: Uint8Array): HostedCommand {
  const strings = textOf(bytes).split("\0");
  if (strings.pop() !== "") throw new MalformedCommand("the last string does not end");
  const [build, folder, shown, count, ...rest] = strings;
  if (build === undefined || folder === undefined || shown === undefined || count === undefined)
    throw new MalformedCommand("strings are missing");
  if (!folder.startsWith("/")) throw new MalformedCommand("the working directory is no absolute path");
  const number = /^\d{1,3}$/.test(count) ? Number(count) : Number.NaN;
  if (!(number <= rest.length)) throw new MalformedCommand("the number of variables is not right");
  return {
    build,
    folder,
    ...terminalsOf(shown),
    variables: variablesOf(rest.slice(0, number)),
    args: rest.slice(number),
  };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new MalformedCommand("it is no UTF-8"); // the decoder says no more than that either
  }
}

function terminalsOf(text: string): Pick<HostedCommand, "terminals" | "window"> {
  const [, flags = "", rows, columns] = /^([01]{3}) (\d{1,5}) (\d{1,5})$/.exec(text) ?? [];
  if (flags === "") throw new MalformedCommand("the terminals are not told");
  return {
    terminals: [flags[0] === "1", flags[1] === "1", flags[2] === "1"],
    window: { rows: Number(rows), columns: Number(columns) },
  };
}

function variablesOf(items: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const item of items) {
    const at = item.indexOf("=");
    if (at <= 0) throw new MalformedCommand("a variable has no name");
    variables.set(item.slice(0, at), item.slice(at + 1));
  }
  return variables;
}
