import { humanSize } from "../../lib/units.ts";
import type { JsonMessage } from "../../types/api.ts";
import { CliError } from "../errors.ts";
import { isTerminal, writeNow } from "../stdio.ts";

/** JSON objects one after another, with or without line ends between them. */
export async function* jsonObjects(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end).trim();
      text = text.slice(end + 1);
      if (line) yield JSON.parse(line);
    }
  }
  if (text.trim()) yield JSON.parse(text);
}

/**
 * Shows a progress stream: on a terminal one line for each id, redrawn in place; elsewhere a line for each step,
 * without progress bars. An error in the stream is thrown.
 */
export async function showProgress(
  body: AsyncIterable<Uint8Array>,
  fd: 1 | 2,
  onAux?: (aux: unknown) => void,
): Promise<void> {
  const display = isTerminal(fd) ? new TerminalDisplay(fd) : undefined;
  for await (const object of jsonObjects(body)) {
    const message = object as JsonMessage;
    if (message.aux !== undefined) {
      onAux?.(message.aux);
      continue;
    }
    if (message.error !== undefined) throw new CliError(message.errorDetail?.message ?? message.error);
    if (display) display.show(message);
    else if (!hasBar(message)) writeNow(fd, line(message, ""));
  }
}

const hasBar = ({ progressDetail, progress }: JsonMessage): boolean =>
  Boolean(progress) && Boolean(progressDetail?.current || progressDetail?.total);

function line({ id, stream, status, progressDetail }: JsonMessage, ending: string): string {
  const start = id ? `${id}: ` : "";
  if (stream !== undefined) return `${start}${stream}${ending}`;
  const { current = 0, total = 0 } = progressDetail ?? {};
  const bar = ending && (current || total) ? ` ${progressBar(current, total)}` : "";
  return `${start}${status ?? ""}${bar}${ending}\n`;
}

function progressBar(current: number, total: number): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(50, Math.trunc((current / total) * 50));
  const bar = filled < 50 ? `${"=".repeat(filled)}>${" ".repeat(49 - filled)}` : "=".repeat(50);
  return `[${bar}]  ${humanSize(current)}/${humanSize(total)}`;
}

class TerminalDisplay {
  private readonly rows = new Map<string, number>();
  private readonly fd: 1 | 2;

  constructor(fd: 1 | 2) {
    this.fd = fd;
  }

  show(message: JsonMessage): void {
    const { id } = message;
    if (!id || (!message.progressDetail && message.status === undefined)) {
      if (!id) this.rows.clear();
      writeNow(this.fd, line(message, message.stream === undefined ? "\r" : ""));
      return;
    }
    let row = this.rows.get(id);
    if (row === undefined) {
      row = this.rows.size;
      this.rows.set(id, row);
      writeNow(this.fd, "\n");
    }
    const up = this.rows.size - row;
    writeNow(this.fd, `\x1b[${up}A\x1b[2K\r${line(message, "\r").trimEnd()}\r\x1b[${up}B`);
  }
}
