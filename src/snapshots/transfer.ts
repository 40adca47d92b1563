import { readFromWorker, type SendOptions, sendToWorker, streamOf } from "../system/worker-stream.ts";
import type { SnapshotsPool, SnapshotsWorker } from "./pool.ts";
import type { ApplyRequest, ApplyResult } from "./worker/apply.ts";

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
  streamOf(readSession(pool, open));

async function* readSession(pool: SnapshotsPool, open: Opening): AsyncGenerator<Uint8Array, void> {
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
    yield* readFromWorker({
      read: () => worker.call("read", { session }),
      readEnd: () => worker.call("readEnd", { session }),
    });
  } finally {
    release();
    await held;
  }
}
