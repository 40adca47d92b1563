import { humanSize } from "../../lib/text/units.ts";
import type { JsonMessage } from "../../types/api.ts";

/** Milliseconds between two progress messages of one layer. */
const progressEveryMs = 100;

/**
 * What a pull or push tells, from the work to its reader. Results are few and all kept, in order; of the progress of one
 * id only the newest is, so that a slow reader costs nothing.
 */
export class TransferMessages {
  /** by id while it may be replaced; results have keys of their own */
  private readonly waiting = new Map<string, JsonMessage>();
  private readonly toldAt = new Map<string, number>();
  private serial = 0;
  private state: "open" | "ended" | { error: unknown } = "open";
  private wake: () => void = () => undefined;

  tell(message: JsonMessage): void {
    if (message.id !== undefined) this.waiting.delete(message.id);
    this.waiting.set(`#${this.serial++}`, message);
    this.wake();
  }

  status(status: string): void {
    this.tell({ status });
  }

  /** A layer's state: "Pulling fs layer", "Pull complete" … */
  layer(id: string, status: string): void {
    this.tell({ status, progressDetail: {}, id });
  }

  /** An empty `id` is what is alone in its stream. */
  progress(id: string, status: string, { current, total }: { current: number; total: number }): void {
    const now = performance.now();
    if (now - (this.toldAt.get(id) ?? Number.NEGATIVE_INFINITY) < progressEveryMs && current < total) return;
    this.toldAt.set(id, now);
    const message = { status, progressDetail: { current, total }, progress: bar(current, total) };
    this.waiting.set(id, id === "" ? message : { ...message, id });
    this.wake();
  }

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
      for (const [key, message] of this.waiting) {
        this.waiting.delete(key);
        yield message;
      }
      if (this.waiting.size > 0) continue;
      if (this.state === "ended") return;
      if (this.state !== "open") throw this.state.error;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

const barWidth = 50;

/** The bar of clients that do not draw their own, as Docker writes it. */
export function bar(current: number, total: number): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(barWidth, Math.trunc((current / total) * barWidth));
  const line = `${"=".repeat(filled)}>${" ".repeat(barWidth - filled)}`;
  return `[${line}]  ${humanSize(current).padStart(7)}/${humanSize(total)}`;
}
