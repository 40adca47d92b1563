import type { MountCall } from "../../system/mount/mount-call.ts";
import { RoleWorker } from "../../system/workers/worker.ts";

/** What the thread does that mounts what may keep it waiting. */
export interface MountCalls {
  mount: { args: MountCall; result: undefined };
  /** mounts a file that holds an ext4 file system */
  mountImage: { args: { image: string; target: string }; result: undefined };
  /** takes all mounts at a place away, which may write much to a disk or wait for a server */
  unmount: { args: { target: string }; result: undefined };
}

const idleMs = 3000;

/** The thread is there while it is used. A network file system that does not answer keeps only its own thread. */
export class MountWorker {
  private idle: RoleWorker | undefined;
  private ending: NodeJS.Timeout | undefined;

  async call<Name extends keyof MountCalls>(
    name: Name,
    args: MountCalls[Name]["args"],
  ): Promise<MountCalls[Name]["result"]> {
    clearTimeout(this.ending);
    const worker = this.idle ?? new RoleWorker("volumes");
    this.idle = undefined;
    try {
      return await worker.call(name, args);
    } finally {
      this.rest(worker);
    }
  }

  close(): void {
    clearTimeout(this.ending);
    this.idle?.terminate();
    this.idle = undefined;
  }

  private rest(worker: RoleWorker): void {
    this.close();
    this.idle = worker;
    this.ending = setTimeout(() => this.close(), idleMs);
    this.ending.unref();
  }
}
