/**
 * Bytes pushed from another thread, read here as a stream. `push` resolves once the reader has come for the bytes, so
 * what lies in between is bounded by how many pushes the sender leaves open.
 */
export class Feed implements AsyncIterable<Uint8Array> {
  private readonly queue: { bytes: Uint8Array; taken: () => void }[] = [];
  private ended = false;
  private error: Error | undefined;
  private wake: () => void = () => undefined;
  private readonly untilDone: boolean;

  /** With `untilDone` a push resolves when the reader is done with the bytes, so that their memory can be used again. */
  constructor({ untilDone = false }: { untilDone?: boolean } = {}) {
    this.untilDone = untilDone;
  }

  push(bytes: Uint8Array): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((taken) => {
      this.queue.push({ bytes, taken });
      this.wake();
    });
  }

  end(error?: Error): void {
    this.ended = true;
    this.error = error;
    this.wake();
  }

  /** Lets go of senders once nobody reads any more. */
  close(): void {
    this.ended = true;
    for (const { taken } of this.queue.splice(0)) taken();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.error !== undefined) throw this.error;
      const next = this.queue.shift();
      if (next !== undefined) {
        if (!this.untilDone) next.taken();
        try {
          yield next.bytes;
        } finally {
          next.taken();
        }
      } else if (this.ended) return;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }
}
