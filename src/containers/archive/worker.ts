import { RoleWorker } from "../../system/workers/worker.ts";
import type { ArchiveCalls } from "./worker-calls.ts";

/** An idle thread costs some megabytes: it ends after this. */
const idleMs = 3000;

/** The thread that archives are packed and extracted in; it is there while it is used. */
export class ArchiveWorker {
  private worker: RoleWorker | undefined;
  private ending: NodeJS.Timeout | undefined;
  private uses = 0;
  private serial = 0;

  /** A number for a session of several calls. */
  nextSession(): number {
    return ++this.serial;
  }

  /** Keeps the thread until the function it returns is called. */
  hold(): () => void {
    clearTimeout(this.ending);
    this.uses++;
    return () => {
      if (--this.uses > 0) return;
      this.ending = setTimeout(() => this.close(), idleMs);
      this.ending.unref();
    };
  }

  call<Name extends keyof ArchiveCalls>(
    name: Name,
    args: ArchiveCalls[Name]["args"],
    transfer?: ArrayBuffer[],
  ): Promise<ArchiveCalls[Name]["result"]> {
    this.worker ??= new RoleWorker("archive");
    return this.worker.call(name, args, transfer);
  }

  close(): void {
    clearTimeout(this.ending);
    this.worker?.terminate();
    this.worker = undefined;
  }
}
