import { messageOf } from "../lib/errors.ts";
import type { SnapshotsWorker, WorkerPool } from "./pool.ts";
import type { ApplyRequest, ApplyResult } from "./worker/apply.ts";

/** Bytes a message to a worker carries, and how many messages may be on their way. */
const batchSize = 512 * 1024;
const inFlightMax = 3;

export interface SendOptions {
  signal?: AbortSignal;
  progress?: (bytes: number) => void;
}

/** Sends `source` to a worker that unpacks it. The source is read no faster than the worker takes it. */
export async function sendToApply(
  pool: WorkerPool,
  request: ApplyRequest,
  source: AsyncIterable<Uint8Array>,
  options: SendOptions,
): Promise<ApplyResult> {
  return pool.use(async (worker) => {
    const session = pool.nextSession();
    const result = worker.call("apply", { session, request });
    const failed = result.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    try {
      await sendAll(worker, session, source, failed, options);
      await worker.call("feedEnd", { session });
    } catch (error) {
      await worker.call("feedEnd", { session, error: messageOf(error) });
      await failed;
      throw error;
    }
    return result;
  });
}

async function sendAll(
  worker: SnapshotsWorker,
  session: number,
  source: AsyncIterable<Uint8Array>,
  failed: Promise<{ error: unknown } | undefined>,
  { signal, progress }: SendOptions,
): Promise<void> {
  const inFlight: Promise<unknown>[] = [];
  let sent = 0;
  for await (const batch of batches(stoppable(source, failed, signal))) {
    sent += batch.length;
    if (inFlight.length >= inFlightMax) await inFlight.shift();
    inFlight.push(worker.call("feed", { session, bytes: batch }, [batch.buffer]));
    progress?.(sent);
  }
  await Promise.all(inFlight);
}

/** The source, until it ends, the worker fails or the caller gives up, whichever is first. */
async function* stoppable(
  source: AsyncIterable<Uint8Array>,
  failed: Promise<{ error: unknown } | undefined>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let stop: { error: unknown } | undefined;
  let wake: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const halt = (error: unknown): void => {
    stop = { error };
    wake();
  };
  const onAbort = (): void => halt(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  void failed.then((failure) => failure && halt(failure.error));
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), stopped]);
      if (stop !== undefined) throw stop.error;
      if (step === undefined || step.done) return;
      yield step.value;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (stop !== undefined) void Promise.resolve(iterator.return?.()).catch(() => undefined); // it has failed already
  }
}

/** Copies pieces into buffers of `batchSize` that can be given away. */
async function* batches(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let batch = new Uint8Array(batchSize);
  let length = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(bytes.length - at, batchSize - length);
      batch.set(part === bytes.length ? bytes : bytes.subarray(at, at + part), length);
      length += part;
      at += part;
      if (length < batchSize) continue;
      yield batch;
      batch = new Uint8Array(batchSize);
      length = 0;
    }
  }
  if (length > 0) yield batch.slice(0, length);
}

type Opening = (worker: SnapshotsWorker, session: number) => Promise<unknown>;

/** A stream of what a worker's reading session gives, one message at a time. */
export function readFrom(pool: WorkerPool, open: Opening): ReadableStream<Uint8Array> {
  const iterator = readSession(pool, open);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return(undefined);
      },
    },
    { highWaterMark: 1 },
  );
}

async function* readSession(pool: WorkerPool, open: Opening): AsyncGenerator<Uint8Array, void> {
  const session = pool.nextSession();
  let give: (worker: SnapshotsWorker) => void = () => undefined;
  let release: () => void = () => undefined;
  const taken = new Promise<SnapshotsWorker>((resolve) => {
    give = resolve;
  });
  const over = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = pool.use((worker) => {
    give(worker);
    return over;
  });
  const worker = await taken;
  try {
    await open(worker, session);
    for (;;) {
      const bytes = await worker.call("read", { session });
      if (bytes === null) return;
      yield bytes;
    }
  } finally {
    await worker.call("readEnd", { session });
    release();
    await held;
  }
}
