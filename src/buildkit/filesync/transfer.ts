import type { GrpcStream } from "../grpc/client.ts";
import { MemoryTree } from "./memory-tree.ts";
import { Receiver } from "./receiver.ts";
import type { FilesyncWorker } from "./worker.ts";

/** Packets that arrived together are passed on together, up to about this many bytes. */
const batchSize = 1024 * 1024;

/** Receives what a DiffCopy stream brings into a kept folder. `onBytes` is told how many bytes came in all. */
export async function receiveFolder(
  stream: GrpcStream,
  worker: FilesyncWorker,
  root: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  const transfer = worker.begin();
  try {
    await worker.call("receive", { transfer, root });
    await pump(stream, async (messages) => {
      const { send, finished, bytes } = await worker.call("feed", { transfer, messages });
      onBytes(bytes);
      return { send, finished };
    });
  } finally {
    await worker.end(transfer);
  }
}

/** Receives a few small files into memory. */
export async function receiveSmall(
  stream: GrpcStream,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<MemoryTree> {
  const tree = new MemoryTree();
  const receiver = new Receiver(tree);
  try {
    await pump(stream, async (messages) => {
      const send = receiver.feed(messages);
      onBytes(receiver.bytes);
      return { send, finished: receiver.finished };
    });
  } finally {
    receiver.abandon();
  }
  return tree;
}

type Step = (messages: Uint8Array[]) => Promise<{ send: Uint8Array[]; finished: boolean }>;

/** Batches of messages in, answers out, until the transfer is finished; then the stream's own end. */
async function pump(stream: GrpcStream, step: Step): Promise<void> {
  let finished = false;
  try {
    for await (const messages of batches(stream.messages)) {
      if (finished) continue;
      const done = await step(messages);
      for (const message of done.send) await stream.send(message);
      finished = done.finished;
      if (finished) stream.closeSend();
    }
  } catch (error) {
    await stream.send(Receiver.errorPacket(error)).catch(() => undefined);
    stream.cancel();
    throw error;
  }
}

/** What is there already is taken at once: a call per packet would cost more than the packet. */
async function* batches(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  const iterator = messages[Symbol.asyncIterator]();
  let pending = iterator.next();
  for (;;) {
    const first = await pending;
    if (first.done) return;
    const batch = [first.value];
    let size = first.value.length;
    pending = iterator.next();
    while (size < batchSize) {
      const next = await Promise.race([pending, nothingYet()]);
      if (!next || next.done) break;
      batch.push(next.value);
      size += next.value.length;
      pending = iterator.next();
    }
    yield batch;
  }
}

const nothingYet = (): Promise<undefined> => new Promise((resolve) => setImmediate(() => resolve(undefined)));

/** Sends a folder to a client that keeps it. */
export async function sendFolder(
  stream: GrpcStream,
  worker: FilesyncWorker,
  root: string,
  prefix: string,
): Promise<void> {
  const transfer = worker.begin();
  try {
    await worker.call("send", { transfer, root, prefix });
    const incoming = batches(stream.messages);
    for (;;) {
      const { send, finished } = await worker.call("next", { transfer });
      for (const message of send) await stream.send(message);
      if (finished) break;
      if (send.length > 0) continue;
      const { value, done } = await incoming.next();
      if (done) break;
      await worker.call("answer", { transfer, messages: value });
    }
    await stream.send(finishPacket);
    stream.closeSend();
    for await (const _rest of incoming);
  } catch (error) {
    await stream.send(Receiver.errorPacket(error)).catch(() => undefined);
    stream.cancel();
    throw error;
  } finally {
    await worker.end(transfer);
  }
}

const finishPacket = Uint8Array.of(0x08, 0x03);
