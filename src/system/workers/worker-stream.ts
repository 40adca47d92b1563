import { messageOf } from "../../lib/errors.ts";
import { Given } from "./worker.ts";

/**
 * Byte streams to and from a worker, with back pressure. The worker's side has the calls `feed` and `feedEnd` (a session
 * that takes bytes), or `read` and `readEnd` (one that gives them).
 */
type FeedCalls = GivenFeed | SharedFeed;

interface GivenFeed extends FeedEnd {
  memory: "given";
  /** the bytes are the callee's to transfer; answers once the worker has come for them */
  feed(bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
}

/** A few buffers that both threads see, used over and over: saves the kernel a page fault for every 4 KB. */
interface SharedFeed extends FeedEnd {
  memory: "shared";
  /** answers once the worker is done with the bytes */
  feed(bytes: Uint8Array): Promise<unknown>;
}

interface FeedEnd {
  /** the source is over, or failed with this sentence */
  feedEnd(error?: string): Promise<unknown>;
}

export interface ReadCalls<Message> {
  /** null at the end */
  read(): Promise<Message | null>;
  readEnd(): Promise<unknown>;
}

/** Bytes a message to a worker carries, and how many messages may be on their way. */
const batchSize = 512 * 1024;
const inFlightMax = 3;

export interface SendOptions {
  signal?: AbortSignal;
  progress?: (bytes: number) => void;
}

/**
 * Sends `source` to a session whose outcome is `result`, and gives that. The source is read no faster than the worker
 * takes it, and no further once the session has failed.
 */
export async function sendToWorker<Result>(
  calls: FeedCalls,
  result: Promise<Result>,
  source: AsyncIterable<Uint8Array>,
  options: SendOptions,
): Promise<Result> {
  const failed = result.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  try {
    await sendAll(calls, source, failed, options);
    await calls.feedEnd();
  } catch (error) {
    await calls.feedEnd(messageOf(error));
    await failed;
    throw error;
  }
  return result;
}

async function sendAll(
  calls: FeedCalls,
  source: AsyncIterable<Uint8Array>,
  failed: Promise<{ error: unknown } | undefined>,
  { signal, progress }: SendOptions,
): Promise<void> {
  const inFlight: Promise<unknown>[] = [];
  let sent = 0;
  const pieces = stoppable(source, failed, signal);
  const pass = async (length: number, feeding: () => Promise<unknown>): Promise<void> => {
    sent += length;
    if (inFlight.length >= inFlightMax) await inFlight.shift();
    inFlight.push(feeding());
    progress?.(sent);
  };
  if (calls.memory === "given")
    for await (const batch of batches(pieces, newBuffer)) await pass(batch.length, () => calls.feed(batch));
  else for await (const batch of batches(pieces, ring())) await pass(batch.length, () => calls.feed(batch));
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
  const halt = (error: unknown): void => {
    stop = { error };
    wake();
  };
  const onAbort = (): void => halt(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  void failed.then((failure) => failure && halt(failure.error));
  try {
    while (stop === undefined) {
      // not Promise.race: a promise that outlives the loop would keep every piece that ever raced it
      const step = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        iterator.next().then(resolve, reject);
      });
      if (stop !== undefined) break;
      if (step === undefined || step.done) return;
      yield step.value;
    }
    if (stop !== undefined) throw stop.error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    if (stop !== undefined) void Promise.resolve(iterator.return?.()).catch(() => undefined); // it has failed already
  }
}

const newBuffer = (): Uint8Array<ArrayBuffer> => new Uint8Array(batchSize);

/** One more than may be on their way: the next is free by the time it is to be filled. */
function ring(): () => Uint8Array<SharedArrayBuffer> {
  const buffers: Uint8Array<SharedArrayBuffer>[] = [];
  let next = 0;
  return () => {
    const at = next++ % (inFlightMax + 1);
    buffers[at] ??= new Uint8Array(new SharedArrayBuffer(batchSize));
    return buffers[at];
  };
}

/** Copies pieces into buffers of `batchSize`. */
async function* batches<Memory extends ArrayBufferLike>(
  source: AsyncIterable<Uint8Array>,
  make: () => Uint8Array<Memory>,
): AsyncGenerator<Uint8Array<Memory>> {
  let batch = make();
  let length = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(bytes.length - at, batchSize - length);
      batch.set(part === bytes.length ? bytes : bytes.subarray(at, at + part), length);
      length += part;
      at += part;
      if (length < batchSize) continue;
      yield batch;
      batch = make();
      length = 0;
    }
  }
  if (length > 0) yield batch.subarray(0, length);
}

/**
 * What a reading session gives, one message at a time, until its end or until the reader goes. The next message is made
 * while the last one is used.
 */
export async function* readFromWorker<Message>(calls: ReadCalls<Message>): AsyncGenerator<Message, void> {
  let next = calls.read();
  try {
    for (let message = await next; message !== null; message = await next) {
      next = calls.read();
      next.catch(() => undefined); // told when it is waited for, or nobody wants it any more
      yield message;
    }
  } finally {
    await next.catch(() => undefined); // what was to be told is on its way already
    await calls.readEnd();
  }
}

/** Bytes a message from a worker carries at least, but for the last. */
const readMin = 256 * 1024;

/**
 * The worker's side of a reading session: gathers small pieces until there is a message's worth; null at the end. A
 * piece of half a message and more that fills its memory goes as it is, memory and all: whoever made it must not
 * keep it.
 */
export function gather(reader: Iterator<Uint8Array>): Given | null {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < readMin) {
    const { value, done } = reader.next();
    if (done) break;
    pieces.push(value);
    length += value.length;
    if (pieces.length === 1 && value.length >= readMin / 2) break;
  }
  if (length === 0) return null;
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined && first.length >= readMin / 2 && ownsMemory(first))
    return new Given(first);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return new Given(whole);
}

const ownsMemory = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;

/** A generator as a stream that asks for one value ahead. */
export const streamOf = (iterator: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
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
