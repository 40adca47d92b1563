import type { Attachment } from "../../runtime/contract.ts";
import type { PendingSession } from "../container.ts";

export const emptyStream = (): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });

/** One stream after the other. */
export function concat(...streams: ReadableStream<Uint8Array>[]): ReadableStream<Uint8Array> {
  const rest = [...streams];
  let reader = rest.shift()?.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (reader) {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          reader = rest.shift()?.getReader();
        }
        controller.close();
      },
      async cancel(reason) {
        await reader?.cancel(reason);
        for (const stream of rest) await stream.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A stream that ends once `fact` is known, too: clients ask for the exit code as soon as the output is over. */
export function endingWith(
  stream: ReadableStream<Uint8Array>,
  fact: Promise<unknown>,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        await fact;
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** The streams of a process that is yet to be started: reads and writes wait for it. */
export class FutureAttachment implements Attachment, PendingSession {
  readonly output: ReadableStream<Uint8Array>;
  private readonly make: () => Promise<Attachment>;
  private readonly forget: () => void;
  private readonly arrived = Promise.withResolvers<Attachment | undefined>();
  private closed = false;

  constructor(make: () => Promise<Attachment>, forget: () => void) {
    this.make = make;
    this.forget = forget;
    let chunks: AsyncIterator<Uint8Array> | undefined;
    this.output = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          chunks ??= (await this.arrived.promise)?.output[Symbol.asyncIterator]();
          const next = await chunks?.next();
          if (!next || next.done) controller.close();
          else controller.enqueue(next.value);
        },
        cancel: () => this.close(),
      },
      { highWaterMark: 0 },
    );
  }

  async begin(): Promise<void> {
    if (this.closed) return;
    const attachment = await this.make();
    if (this.closed) attachment.close();
    this.arrived.resolve(attachment);
  }

  end(): void {
    this.arrived.resolve(undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await (await this.arrived.promise)?.write(bytes);
  }

  async closeStdin(): Promise<void> {
    await (await this.arrived.promise)?.closeStdin();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.forget();
    void this.arrived.promise.then((attachment) => attachment?.close());
    this.arrived.resolve(undefined);
  }
}
