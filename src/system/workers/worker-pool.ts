import { messageOf } from "../../lib/errors.ts";
import { RoleWorker, type WorkerRole } from "./worker.ts";

const workersMax = 2;
/** An idle thread costs some megabytes: it ends after this. */
const idleMs = 3000;

interface Member {
  worker: RoleWorker;
  uses: number;
  ending: NodeJS.Timeout | undefined;
}

interface PoolWorker {
  call<Result>(name: string, args: unknown, transfer?: ArrayBuffer[]): Promise<Result>;
}

/** Up to two threads of one role, started when needed and ended when idle. */
export class WorkerPool {
  private readonly role: WorkerRole;
  private readonly members = new Set<Member>();
  private serial = 0;

  constructor(role: WorkerRole) {
    this.role = role;
  }

  /** A number for a session of several calls. */
  nextSession(): number {
    return ++this.serial;
  }

  /** Runs `work` with the least busy thread, which stays until `work` has settled. */
  async use<T>(work: (worker: PoolWorker) => Promise<T>): Promise<T> {
    const { worker, release } = this.hold();
    try {
      return await work(worker);
    } finally {
      release();
    }
  }

  /** The least busy thread, which stays until `release`. */
  hold(): { worker: PoolWorker; release: () => void } {
    const member = this.take();
    const worker: PoolWorker = {
      call: (name, args, transfer) =>
        member.worker.call<never>(name, args, transfer).catch((error: unknown) => {
          // a thread that failed outside of a call is gone: `RoleWorker` rejects what was open with this sentence
          if (messageOf(error).startsWith(`worker ${this.role}:`)) this.members.delete(member);
          throw error;
        }),
    };
    return { worker, release: () => this.giveBack(member) };
  }

  close(): void {
    for (const member of this.members) this.end(member);
  }

  private take(): Member {
    let best: Member | undefined;
    for (const member of this.members) if (best === undefined || member.uses < best.uses) best = member;
    if (best === undefined || (best.uses > 0 && this.members.size < workersMax)) {
      best = { worker: new RoleWorker(this.role), uses: 0, ending: undefined };
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
