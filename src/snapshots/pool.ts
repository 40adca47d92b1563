import { messageOf } from "../lib/errors.ts";
import { RoleWorker } from "../system/worker.ts";
import type { WorkerCalls } from "./snapshots-worker.ts";

const workersMax = 2;
/** An idle thread costs some megabytes: it ends after this. */
const idleMs = 3000;

interface Member {
  worker: RoleWorker;
  uses: number;
  ending: NodeJS.Timeout | undefined;
}

export type SnapshotsWorker = {
  call<Name extends keyof WorkerCalls>(
    name: Name,
    args: WorkerCalls[Name]["args"],
    transfer?: ArrayBuffer[],
  ): Promise<WorkerCalls[Name]["result"]>;
};

/** Up to two threads, started when needed and ended when idle. */
export class WorkerPool {
  private readonly members = new Set<Member>();
  private serial = 0;

  /** A number for a session of several calls. */
  nextSession(): number {
    return ++this.serial;
  }

  /** Runs `work` with the least busy thread, which stays until `work` has settled. */
  async use<T>(work: (worker: SnapshotsWorker) => Promise<T>): Promise<T> {
    const member = this.take();
    try {
      return await work({
        call: (name, args, transfer) =>
          member.worker.call<never>(name, args, transfer).catch((error: unknown) => {
            if (isThreadsEnd(error)) this.members.delete(member);
            throw error;
          }),
      });
    } finally {
      this.giveBack(member);
    }
  }

  run<Name extends keyof WorkerCalls>(
    name: Name,
    args: WorkerCalls[Name]["args"],
  ): Promise<WorkerCalls[Name]["result"]> {
    return this.use((worker) => worker.call(name, args));
  }

  close(): void {
    for (const member of this.members) this.end(member);
  }

  private take(): Member {
    let best: Member | undefined;
    for (const member of this.members) if (best === undefined || member.uses < best.uses) best = member;
    if (best === undefined || (best.uses > 0 && this.members.size < workersMax)) {
      best = { worker: new RoleWorker("snapshots"), uses: 0, ending: undefined };
      this.members.add(best);
    }
    clearTimeout(best.ending);
    best.uses++;
    return best;
  }

  private giveBack(member: Member): void {
    if (--member.uses > 0) return;
    member.ending = setTimeout(() => this.end(member), idleMs);
    member.ending.unref();
  }

  private end(member: Member): void {
    clearTimeout(member.ending);
    this.members.delete(member);
    member.worker.terminate();
  }
}

/** A thread that failed outside of a call is gone: `RoleWorker` rejects what was open with this sentence. */
const isThreadsEnd = (error: unknown): boolean => messageOf(error).startsWith("worker snapshots:");
