/**
 * What conmon says on its sync pipe: one JSON object a line. `data` is a pid, or below 0 when the runtime failed
 * (`message` then holds its stderr); for an exec a second line holds the exit code. Lines that are not JSON come from
 * conmon's own stderr, which shares the pipe: its complaint before it could begin.
 */
export interface SyncMessage {
  data: number;
  message?: string;
}

export class SyncLines {
  private rest = "";
  private readonly decoder = new TextDecoder();
  /** what was no message: conmon's own words, at most 4 KB */
  complaint = "";

  /** Takes bytes as they come and gives the messages that are complete. */
  push(bytes: Uint8Array): SyncMessage[] {
    const lines = (this.rest + this.decoder.decode(bytes, { stream: true })).split("\n");
    this.rest = (lines.pop() ?? "").slice(0, 1 << 20);
    return lines.flatMap((line) => {
      const message = parseSyncLine(line);
      if (message) return [message];
      if (this.complaint.length < 4096) this.complaint += `${line}\n`;
      return [];
    });
  }

  end(): void {
    if (this.rest) this.complaint += this.rest;
    this.rest = "";
  }
}

export function parseSyncLine(line: string): SyncMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as { data?: unknown; pid?: unknown; message?: unknown };
    const data = value.data ?? value.pid;
    if (typeof data !== "number") return undefined;
    return typeof value.message === "string" ? { data, message: value.message } : { data };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // a line of plain words that begins with a brace
    throw error;
  }
}
