import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { whenSettled } from "../../lib/settled.ts";

/** a follower looks at least this often, unless it says otherwise; a watch wakes it sooner */
const standardMs = 200;

/** Wakes a follower: at a change of the log's folder, at the end of the process, when it is aborted, or in a while. */
export class ChangeWaiter {
  ended = false;
  private changed = false;
  private wake: (() => void) | undefined;
  private watcher: FSWatcher | undefined;
  private readonly lookAgainMs: number;
  /** the process may live on for weeks */
  private readonly forget: () => void;

  constructor(logPath: string, ended: Promise<unknown>, signal: AbortSignal, lookAgainMs = standardMs) {
    this.lookAgainMs = lookAgainMs;
    this.forget = whenSettled(ended, () => {
      this.ended = true;
      this.notice();
    });
    signal.addEventListener("abort", () => this.notice(), { once: true });
    try {
      this.watcher = watch(dirname(logPath), { persistent: false }, () => this.notice());
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error; // no folder yet: the timer is enough
    }
  }

  private notice(): void {
    this.changed = true;
    this.wake?.();
  }

  async wait(): Promise<void> {
    if (!this.changed)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.lookAgainMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.wake = undefined;
    this.changed = false;
  }

  close(): void {
    this.forget();
    this.watcher?.close();
  }
}
