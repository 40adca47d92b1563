import { WorkerPool } from "../../../system/workers/worker-pool.ts";
import { readFromWorker, type SendOptions, sendToWorker } from "../../../system/workers/worker-stream.ts";
import type { TreeTar } from "../tree-tar.ts";
import type { BuildCalls, UnpackRequest } from "./requests.ts";

/** Up to two build worker threads, started when needed and ended when idle. */
export class BuildWorkers {
  private readonly pool = new WorkerPool("build");

  call<Name extends keyof BuildCalls>(
    name: Name,
    args: BuildCalls[Name]["args"],
  ): Promise<BuildCalls[Name]["result"]> {
    return this.pool.use((worker) => worker.call<BuildCalls[Name]["result"]>(name, args));
  }

  /** Unpacks a (compressed) tar into `folder`/diff. */
  unpack(
    request: Omit<UnpackRequest, "session">,
    source: AsyncIterable<Uint8Array>,
    options: SendOptions,
  ): Promise<unknown> {
    const session = this.pool.nextSession();
    return this.pool.use((worker) => {
      const calls = {
        memory: "given" as const,
        feed: (bytes: Uint8Array<ArrayBuffer>) => worker.call("feed", { session, bytes }, [bytes.buffer]),
        feedEnd: (error?: string) =>
          worker.call("feedEnd", { session, ...(error === undefined ? {} : { error }) }),
      };
      return sendToWorker(calls, worker.call("unpack", { session, ...request }), source, options);
    });
  }

  /** A tree as a tar, or what it has besides `lower` (topmost first). */
  async *tar(folder: string, options: Partial<Omit<TreeTar, "folder">> = {}): AsyncGenerator<Uint8Array> {
    const { lower = [], prefix = "", more = false } = options;
    const session = this.pool.nextSession();
    const { worker, release } = this.pool.hold();
    try {
      await worker.call("tar", { session, folder, lower, prefix, more });
      yield* readFromWorker({
        read: () => worker.call("read", { session }),
        readEnd: () => worker.call("readEnd", { session }),
      });
    } finally {
      release();
    }
  }

  close(): void {
    this.pool.close();
  }
}
