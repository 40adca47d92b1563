import { join } from "node:path";
import { newId } from "../../lib/ids.ts";
import type { Call } from "../worker/protocol.ts";

export interface HeldNamespace {
  sandboxId: string;
  path: string;
}

/**
 * Namespaces made ahead of use, loopback up. Empty until the first is taken, so that an engine without containers
 * has none; `drain` gives them all back.
 */
export class NamespacePool {
  private readonly call: Call;
  private readonly folder: string;
  private readonly size: number;
  private ready: HeldNamespace[] = [];
  private making = 0;
  private drained = false;

  constructor(call: Call, folder: string, size: number) {
    this.call = call;
    this.folder = folder;
    this.size = size;
  }

  async take(): Promise<HeldNamespace> {
    this.drained = false;
    return this.ready.shift() ?? (await this.make());
  }

  /** Holds the namespace at `existing`, which somebody has made. */
  adopt(existing: string): Promise<HeldNamespace> {
    this.drained = false;
    return this.make(existing);
  }

  /** Makes what is missing, after the caller's own calls to the Worker. */
  async refill(): Promise<void> {
    while (!this.drained && this.ready.length + this.making < this.size) {
      this.making++;
      try {
        this.ready.push(await this.make());
      } finally {
        this.making--;
      }
    }
    if (this.drained) await this.drain();
  }

  async drain(): Promise<void> {
    this.drained = true;
    const namespaces = this.ready.map(({ path }) => path);
    this.ready = [];
    if (namespaces.length > 0) await this.call("tearDown", { links: [], namespaces });
  }

  private async make(existing?: string): Promise<HeldNamespace> {
    const sandboxId = newId();
    const path = join(this.folder, sandboxId.slice(0, 12));
    await this.call("makeNamespace", existing === undefined ? { path } : { path, existing });
    return { sandboxId, path };
  }
}
