import { RoleWorker } from "../../system/workers/worker.ts";
import type { Call, NetworkEvent } from "./protocol.ts";

/**
 * The network Worker, there while it is used: a thread with its own JavaScript heap costs some 10 MB, and starting it
 * some 25 ms, which `warm` hides behind the making of a container.
 */
export class LazyWorker {
  private readonly idleMs: number;
  private readonly report: (error: unknown) => void;
  /** of the Worker that changed packet rules last */
  rulesPort: number | undefined;
  private worker: RoleWorker | undefined;
  private open = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(idleMs: number, report: (error: unknown) => void) {
    this.idleMs = idleMs;
    this.report = report;
  }

  call: Call = async (method, args) => {
    clearTimeout(this.timer);
    this.open++;
    this.worker ??= this.start();
    try {
      return await this.worker.call(method, args);
    } finally {
      this.open--;
      this.rest();
    }
  };

  /** Starts it ahead of the first call. */
  warm(): void {
    this.worker ??= this.start();
    if (this.open === 0) this.rest();
  }

  /** Ends it; a later call starts another. */
  async end(): Promise<void> {
    clearTimeout(this.timer);
    const { worker } = this;
    this.worker = undefined;
    try {
      await worker?.call("close", {});
    } finally {
      worker?.terminate();
    }
  }

  private start(): RoleWorker {
    const worker = new RoleWorker("network");
    worker.onEvent<NetworkEvent>(({ rulesPort }) => {
      this.rulesPort = rulesPort;
    });
    return worker;
  }

  private rest(): void {
    clearTimeout(this.timer);
    if (this.open > 0) return;
    this.timer = setTimeout(() => this.end().catch(this.report), this.idleMs);
    this.timer.unref();
  }
}
