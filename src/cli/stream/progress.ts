import { jsonLines } from "../../lib/wire/json-lines.ts";
import type { JsonMessage } from "../../types/api.ts";
import { CliError } from "../errors.ts";
import { isTerminal, writeNow } from "../stdio.ts";

/**
 * Shows a progress stream: on a terminal one line for each id, redrawn in place; elsewhere a line for each step,
 * without progress bars. An error in the stream is thrown.
 */
export async function showProgress(
  body: AsyncIterable<Uint8Array>,
  fd: 1 | 2,
  onAux?: (aux: unknown) => void,
): Promise<void> {
  const show = await progressOn(fd);
  for await (const object of jsonLines(body)) {
    const message = object as JsonMessage;
    if (message.aux !== undefined) {
      onAux?.(message.aux);
      continue;
    }
    if (message.error !== undefined) throw new CliError(message.errorDetail?.message ?? message.error);
    show(message);
  }
}

/** How messages are shown there, one by one. */
export async function progressOn(fd: 1 | 2): Promise<(message: JsonMessage) => void> {
  if (isTerminal(fd)) {
    const display = await terminalDisplay(fd);
    return (message) => display.show(message);
  }
  return (message) => {
    if (!hasBar(message)) writeNow(fd, line(message));
  };
}

/** What a pipe does not get, as with docker: bars. */
const hasBar = ({ progressDetail }: JsonMessage): boolean =>
  Boolean(progressDetail?.current || progressDetail?.total);

function line({ id, stream, status }: JsonMessage): string {
  const start = id ? `${id}: ` : "";
  return stream === undefined ? `${start}${status ?? ""}\n` : `${start}${stream}`;
}

/** Loaded only where there is a terminal to draw on. */
async function terminalDisplay(fd: 1 | 2) {
  const { TerminalDisplay } = await import("./progress-display.ts");
  return new TerminalDisplay(fd);
}
