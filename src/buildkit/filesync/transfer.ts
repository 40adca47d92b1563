import type { GrpcStream } from "../grpc/client.ts";
import { asCallError } from "../grpc/status.ts";
import { MemoryTree } from "./memory-tree.ts";
import { Receiver } from "./receiver.ts";
import type { FilesyncWorker } from "./worker.ts";

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
    let over = false;
    for await (const bytes of stream.pieces) {
      if (over) continue;
      const answer = await worker.call("feed", { transfer, bytes }, [bytes.buffer]);
      onBytes(answer.bytes);
      if (answer.send.length > 0) await stream.sendFramed(answer.send);
      over = answer.finished;
      if (over) stream.closeSend();
    }
  } catch (error) {
    await tellFailure(stream, error);
    throw asCallError(error);
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
    for await (const message of stream.messages) {
      if (receiver.finished) continue;
      for (const answer of receiver.feed([message])) await stream.send(answer);
      onBytes(receiver.bytes);
      if (receiver.finished) stream.closeSend();
    }
  } catch (error) {
    await tellFailure(stream, error);
    throw error;
  } finally {
    receiver.abandon();
  }
  return tree;
}

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
    const incoming = stream.pieces[Symbol.asyncIterator]();
    for (;;) {
      const { send, finished } = await worker.call("next", { transfer });
      if (send.length > 0) await stream.sendFramed(send);
      if (finished) break;
      if (send.length > 0) continue;
      const { value: bytes, done } = await incoming.next();
      if (done) break;
      await worker.call("answer", { transfer, bytes }, [bytes.buffer]);
    }
    await stream.send(finishPacket);
    stream.closeSend();
    while (!(await incoming.next()).done);
  } catch (error) {
    await tellFailure(stream, error);
    throw asCallError(error);
  } finally {
    await worker.end(transfer);
  }
}

const finishPacket = Uint8Array.of(0x08, 0x03);

/** The other side hears why, if it still listens. */
async function tellFailure(stream: GrpcStream, error: unknown): Promise<void> {
  await stream.send(Receiver.errorPacket(error)).catch(() => undefined);
  stream.cancel();
}
