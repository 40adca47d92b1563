import { mkdirSync, rmSync } from "node:fs";
import { collect } from "../../build/copy/worker/garbage.ts";
import { EngineError } from "../../lib/errors.ts";
import type { WorkerPort } from "../../system/workers/worker.ts";
import { FrameReader, frame } from "../grpc/frames.ts";
import { DiskTree } from "./disk-tree.ts";
import { dropIndex, type KeptIndex, keepRows, newRows, openIndex } from "./index-file.ts";
import { Receiver } from "./receiver.ts";
import type { RowFile } from "./rows.ts";
import { Sender } from "./sender.ts";
import type { FilesyncCalls } from "./worker-calls.ts";

/** The worker's side of file transfers (`system/workers/worker.ts`): protocol and disk, so that neither is the main thread's. */
interface Receiving {
  frames: FrameReader;
  receiver: Receiver;
  tree: DiskTree;
  index: string;
  rows: RowFile;
  kept: KeptIndex | undefined;
}

type Handlers = {
  [Name in keyof FilesyncCalls]: (args: FilesyncCalls[Name]["args"]) => FilesyncCalls[Name]["result"];
};

const manyFiles = 20_000;
const receiving = new Map<number, Receiving>();
const sending = new Map<number, { frames: FrameReader; sender: Sender }>();

const handlers: Handlers = {
  receive({ transfer, root }) {
    const index = `${root}.json`;
    const kept = openIndex(index);
    if (!kept) rmSync(root, { recursive: true, force: true });
    mkdirSync(root, { recursive: true, mode: 0o755 });
    // from the first change to the end of the transfer nothing vouches for the folder
    dropIndex(index);
    const tree = new DiskTree(root);
    const rows = newRows(index);
    const receiver = new Receiver(tree, rows, () => kept?.next());
    receiving.set(transfer, { frames: new FrameReader(), receiver, tree, index, rows, kept });
  },

  feed({ transfer, bytes }) {
    const { frames, receiver, index, rows } = found(receiving, transfer);
    const before = receiver.finished;
    const send = receiver.feed(frames.push(bufferOf(bytes)));
    if (receiver.finished && !before) keepRows(rows, index);
    return { send: framed(send), finished: receiver.finished, bytes: receiver.bytes };
  },

  send({ transfer, root, prefix }) {
    sending.set(transfer, { frames: new FrameReader(), sender: new Sender(root, prefix) });
  },

  next({ transfer }) {
    const { sender } = found(sending, transfer);
    return { send: framed(sender.next()), finished: sender.finished };
  },

  answer({ transfer, bytes }) {
    const { frames, sender } = found(sending, transfer);
    sender.feed(frames.push(bufferOf(bytes)));
  },

  end({ transfer }) {
    const received = receiving.get(transfer);
    received?.receiver.abandon();
    received?.tree.close();
    received?.rows.abandon();
    received?.kept?.close();
    receiving.delete(transfer);
    // the thread idles while what was received is looked at
    if (received && received.receiver.listed >= manyFiles) collect();
    sending.get(transfer)?.sender.close();
    sending.delete(transfer);
  },
};

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const framed = (messages: readonly Uint8Array[]): Uint8Array => Buffer.concat(messages.map(frame));

function found<Each>(all: Map<number, Each>, transfer: number): Each {
  const one = all.get(transfer);
  if (!one) throw new EngineError("internal", `there is no file transfer ${transfer}`);
  return one;
}

export function start(port: WorkerPort): void {
  port.onCall((method, args) => handlers[method as keyof FilesyncCalls](args));
}
