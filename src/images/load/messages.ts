import type { JsonMessage } from "../../types/api.ts";

/** Milliseconds between two progress messages of one layer. */
const progressEveryMs = 100;
const barWidth = 50;

/**
 * What a load tells, from the work to its reader. Results are few and always kept; of progress only the newest is, so
 * a slow reader costs nothing.
 */
export class Messages {
  private readonly waiting: JsonMessage[] = [];
  private latest: JsonMessage | undefined;
  private state: "open" | "ended" | { error: unknown } = "open";
  private wake: () => void = () => undefined;
  private toldAt = 0;

  tell(message: JsonMessage): void {
    this.waiting.push(message);
    this.wake();
  }

  readonly progress = (name: string, current: number, total: number): void => {
    const now = performance.now();
    if (now - this.toldAt < progressEveryMs && current < total) return;
    this.toldAt = now;
    this.latest = {
      status: "Loading layer",
      progressDetail: { current, total },
      progress: bar(current, total),
      id: (name.split("/").findLast((part) => part !== "layer.tar") ?? name).slice(0, 12),
    };
    this.wake();
  };

  end(): void {
    this.state = "ended";
    this.wake();
  }

  fail(error: unknown): void {
    this.state = { error };
    this.wake();
  }

  async *read(): AsyncGenerator<JsonMessage> {
    for (;;) {
      const { latest } = this;
      this.latest = undefined;
      if (latest) yield latest;
      for (let message = this.waiting.shift(); message; message = this.waiting.shift()) yield message;
      if (this.latest || this.waiting.length > 0) continue;
      if (this.state === "ended") return;
      if (this.state !== "open") throw this.state.error;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

function bar(current: number, total: number): string {
  const filled = Math.min(barWidth, Math.trunc((current / Math.max(total, 1)) * barWidth));
  const line = `${"=".repeat(filled)}>`.padEnd(barWidth + 1).slice(0, barWidth);
  return `[${filled === barWidth ? `${"=".repeat(barWidth)}>` : line}]  ${size(current)}/${size(total)}`;
}

function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
