import { RoleWorker } from "../../system/workers/worker.ts";
import type { FilesyncCalls } from "./worker-calls.ts";

/** An idle thread costs some megabytes: it ends after this. */
const idleMs = 3000;

/** The thread that transfers files; it is there while it is used. */
export class FilesyncWorker {
  private worker: RoleWorker | undefined;
  private ending: NodeJS.Timeout | undefined;
  private uses = 0;
  private serial = 0;

  /** A number for a new transfer, and the thread kept until `end` is called with it. */
  begin(): number {
    clearTimeout(this.ending);
    this.uses++;
    return ++this.serial;
  }

  async end(transfer: number): Promise<void> {
    try {
      await this.call("end", { transfer });
    } finally {
      if (--this.uses === 0) {
        this.ending = setTimeout(() => this.close(), idleMs);
        this.ending.unref();
      }
    }
  }

  call<Name extends keyof FilesyncCalls>(
    name: Name,
    args: FilesyncCalls[Name]["args"],
    transfer: ArrayBuffer[] = [],
  ): Promise<FilesyncCalls[Name]["result"]> {
    this.worker ??= new RoleWorker("filesync");
    return this.worker.call(name, args, transfer);
  }

  close(): void {
    clearTimeout(this.ending);
    this.worker?.terminate();
    this.worker = undefined;
  }
}
