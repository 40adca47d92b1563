import type { BuildEvent } from "../contract.ts";

/** Output that may wait for a reader before the step that writes it is held back, bytes. */
const waitingMax = 1024 * 1024;

/**
 * A build's events, for one reader. Facts about steps are few and never wait; output does, so that a reader who is slow
 * holds the step back instead of filling the memory. Once nobody reads any more, events are dropped.
 */
export class EventQueue implements AsyncIterable<BuildEvent> {
  private readonly events: BuildEvent[] = [];
  private waiting = 0;
  private state: "open" | "ended" | "left" = "open";
  private wakeReader: () => void = () => undefined;
  private readonly wakeWriters = new Set<() => void>();

  push(event: BuildEvent): void {
    if (this.state !== "open") return;
    this.events.push(event);
    if (event.kind === "log") this.waiting += event.data.length;
    this.wakeReader();
  }

  /** Resolves when there is room again. */
  async output(event: BuildEvent & { kind: "log" }): Promise<void> {
    this.push(event);
    while (this.waiting > waitingMax && this.state === "open")
      await new Promise<void>((resolve) => this.wakeWriters.add(resolve));
  }

  end(): void {
    if (this.state === "open") this.state = "ended";
    this.wakeReader();
    this.release();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BuildEvent, void> {
    try {
      for (;;) {
        const event = this.events.shift();
        if (event !== undefined) {
          if (event.kind === "log") this.taken(event.data.length);
          yield event;
        } else if (this.state !== "open") return;
        else
          await new Promise<void>((resolve) => {
            this.wakeReader = resolve;
          });
      }
    } finally {
      this.state = "left";
      this.events.length = 0;
      this.release();
    }
  }

  private taken(bytes: number): void {
    this.waiting -= bytes;
    if (this.waiting <= waitingMax) this.release();
  }

  private release(): void {
    for (const wake of this.wakeWriters) wake();
    this.wakeWriters.clear();
  }
}
