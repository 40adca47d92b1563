import type { AttachOptions } from "../contract.ts";
import type { StreamNumber } from "./connection.ts";
import { OutputQueue } from "./frames.ts";

/**
 * conmon's packets hold 8 KB. While a process writes on and on, they are gathered to pieces of this size, for at most
 * that long: each piece costs the engine and the client several calls. What comes after a pause is told at once.
 */
const gatherBytes = 64 * 1024;
const gatherMs = 2;

/** One reader of a process's output: a queue on one side, a stream on the other. */
export class AttachClient {
  readonly output: ReadableStream<Uint8Array>;
  private readonly options: AttachOptions;
  private readonly queue: OutputQueue;
  private ended = false;
  private wake: (() => void) | undefined;
  /** bytes that have to be queued for `wake` */
  private wakeAt = 1;
  private gaveAt = Number.NEGATIVE_INFINITY;

  /** `changed` is told when bytes were read or the reader left. */
  constructor(options: AttachOptions, terminal: boolean, changed: (left: boolean) => void) {
    this.options = options;
    this.queue = new OutputQueue(terminal);
    this.output = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.pull(controller, changed),
        cancel: () => changed(true),
      },
      { highWaterMark: 0 },
    );
  }

  /** bytes that wait to be read */
  get queued(): number {
    return this.queue.waiting;
  }

  /** Copies the bytes from `from` on, 64 KB at most. */
  push(stream: StreamNumber, bytes: Buffer, from = 0): void {
    if (this.ended || !(stream === 1 ? this.options.stdout : this.options.stderr)) return;
    this.queue.push(stream, bytes, from);
    if (this.queued >= this.wakeAt) this.wake?.();
  }

  /** Ends `output` after what is queued. */
  end(): void {
    this.ended = true;
    this.wake?.();
  }

  private async pull(
    controller: ReadableStreamDefaultController<Uint8Array>,
    changed: (left: boolean) => void,
  ): Promise<void> {
    if (this.queued === 0 && !this.ended) await this.more(1);
    if (this.queued < gatherBytes && !this.ended && performance.now() - this.gaveAt < gatherMs)
      await this.more(gatherBytes, gatherMs);
    this.gaveAt = performance.now();
    const piece = this.queue.take();
    if (!piece) {
      controller.close();
      return;
    }
    controller.enqueue(piece);
    changed(false);
  }

  /** Resolves when that many bytes are queued, at the end, or after `limitMs`. */
  private more(bytes: number, limitMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = limitMs === undefined ? undefined : setTimeout(() => this.wake?.(), limitMs);
      this.wakeAt = bytes;
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }
}
