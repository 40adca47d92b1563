import type { BuildEvent } from "../../build/contract.ts";

/** Log bytes kept for those who look later; the oldest go first. */
const keptLogBytes = 8 * 1024 * 1024;

interface Kept {
  /** counts up, so that a watcher knows its place when old ones have gone */
  serial: number;
  event: BuildEvent;
}

/** What a build has told so far, and what it tells from now on: any number of watchers, each from the beginning. */
export class Progress {
  private kept: Kept[] = [];
  private readonly watchers = new Set<() => void>();
  private serial = 0;
  private logBytes = 0;
  private ended = false;

  get done(): boolean {
    return this.ended;
  }

  add(event: BuildEvent): void {
    if (this.ended) return;
    this.kept.push({ serial: ++this.serial, event });
    if (event.kind === "log") {
      this.logBytes += event.data.length;
      if (this.logBytes > keptLogBytes) this.dropOldLogs();
    }
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Where the Dockerfile was read, which is what every build begins with. */
  get reader(): string | undefined {
    for (const { event } of this.kept) if (event.kind === "vertex") return event.vertex.digest;
    return undefined;
  }

  /** Batches of events, as they come, to the end of the build. */
  async *watch(signal: AbortSignal): AsyncGenerator<BuildEvent[]> {
    let seen = 0;
    let wake: () => void = () => undefined;
    const watcher = (): void => wake();
    this.watchers.add(watcher);
    signal.addEventListener("abort", watcher);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (seen < this.serial) {
          const batch = this.kept.filter(({ serial }) => serial > seen);
          seen = this.serial;
          yield batch.map(({ event }) => event);
        } else if (this.ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      this.watchers.delete(watcher);
      signal.removeEventListener("abort", watcher);
    }
  }

  /** Half of them at once, so that it is not done for each line. */
  private dropOldLogs(): void {
    this.kept = this.kept.filter(({ event }) => {
      if (event.kind !== "log" || this.logBytes <= keptLogBytes / 2) return true;
      this.logBytes -= event.data.length;
      return false;
    });
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
  }
}
