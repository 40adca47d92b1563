/**
 * Hands items from one side that pushes to one that awaits. `full` and `onDrained` let the pushing side stop in time;
 * `end` closes it after what is queued, with the error if there is one.
 */
export class AsyncQueue<Item> implements AsyncIterable<Item> {
  private readonly items: Item[] = [];
  private readonly limit: number;
  private ended = false;
  private error: unknown;
  private wake: (() => void) | undefined;
  /** called when a queue that was full is no longer */
  onDrained: (() => void) | undefined;

  constructor(limit = 64) {
    this.limit = limit;
  }

  get full(): boolean {
    return this.items.length >= this.limit;
  }

  push(item: Item): void {
    if (this.ended) return;
    this.items.push(item);
    this.wake?.();
  }

  end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      while (this.items.length > 0) {
        const wasFull = this.full;
        yield this.items.shift() as Item;
        if (wasFull && !this.full) this.onDrained?.();
      }
      if (this.ended) break;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
    }
    if (this.error !== undefined) throw this.error;
  }
}
