import type { LayerCompression } from "../lib/compression/layer-compression.ts";
import type { PackedPart } from "../system/compression/compress.ts";
import {
  type ReadCalls,
  readFromWorker,
  type SendOptions,
  sendToWorker,
  streamOf,
} from "../system/workers/worker-stream.ts";
import type { SnapshotsPool, SnapshotsWorker } from "./pool.ts";
import type { ApplyRequest, ApplyResult } from "./worker/apply.ts";
import type { TarSource } from "./worker/layer-tar.ts";

/** Sends `source` to a worker that unpacks it. */
export function sendToApply(
  pool: SnapshotsPool,
  request: ApplyRequest,
  source: AsyncIterable<Uint8Array>,
  options: SendOptions,
): Promise<ApplyResult> {
  return pool.use((worker) => {
    const session = pool.nextSession();
    const calls = {
      memory: "shared" as const,
      feed: (bytes: Uint8Array) => worker.call("feed", { session, bytes }),
      feedEnd: (error?: string) =>
        worker.call("feedEnd", { session, ...(error === undefined ? {} : { error }) }),
    };
    return sendToWorker(calls, worker.call("apply", { session, request }), source, options);
  });
}

type Opening = (worker: SnapshotsWorker, session: number) => Promise<unknown>;

/** A stream of what a worker's reading session gives. */
export const readFrom = (pool: SnapshotsPool, open: Opening): ReadableStream<Uint8Array> =>
  streamOf(
    readSession(pool, open, (worker, session) => ({
      read: () => worker.call("read", { session }),
      readEnd: () => worker.call("readEnd", { session }),
    })),
  );

/** A layer as the worker compresses it. */
export const readBlob = (
  pool: SnapshotsPool,
  layer: TarSource & { how: LayerCompression },
): AsyncGenerator<PackedPart, void> =>
  readSession(
    pool,
    (worker, session) => worker.call("layerBlob", { session, ...layer }),
    (worker, session) => ({
      read: () => worker.call("readBlob", { session }),
      readEnd: () => worker.call("readBlobEnd", { session }),
    }),
  );

async function* readSession<Message>(
  pool: SnapshotsPool,
  open: Opening,
  calls: (worker: SnapshotsWorker, session: number) => ReadCalls<Message>,
): AsyncGenerator<Message, void> {
  const session = pool.nextSession();
  const { worker, release } = pool.hold();
  try {
    await open(worker, session);
    yield* readFromWorker(calls(worker, session));
  } finally {
    release();
  }
}
