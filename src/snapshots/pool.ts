import { WorkerPool } from "../system/workers/worker-pool.ts";
import type { WorkerCalls } from "./snapshots-worker.ts";

export type SnapshotsWorker = {
  call<Name extends keyof WorkerCalls>(
    name: Name,
    args: WorkerCalls[Name]["args"],
    transfer?: ArrayBuffer[],
  ): Promise<WorkerCalls[Name]["result"]>;
};

/** The threads that unpack, hash and compare layers, with the types of their calls. */
export class SnapshotsPool {
  private readonly pool = new WorkerPool("snapshots");

  nextSession(): number {
    return this.pool.nextSession();
  }

  use<T>(work: (worker: SnapshotsWorker) => Promise<T>): Promise<T> {
    return this.pool.use(work);
  }

  /** The least busy thread, which stays until `release`. */
  hold(): { worker: SnapshotsWorker; release: () => void } {
    return this.pool.hold();
  }

  run<Name extends keyof WorkerCalls>(
    name: Name,
    args: WorkerCalls[Name]["args"],
  ): Promise<WorkerCalls[Name]["result"]> {
    return this.pool.use((worker) => worker.call(name, args));
  }

  close(): void {
    this.pool.close();
  }
}
