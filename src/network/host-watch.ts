import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { Changes, Found } from "./kernel/changes.ts";

/** What came of a look: all is there, or it is being mended, or something is under way and it must be looked again. */
export type Sight = "well" | "mended" | "later";

export interface HostWatchOptions {
  /** how often it is looked though nothing was heard, milliseconds */
  everyMs: number;
  /** hears what others change; `heard` says that there is something to be taken */
  listen: (heard: () => void) => Promise<Changes>;
  look: (found: Found) => Sight;
  logger: Logger;
}

/** firewalls are loaded anew by many changes: they are looked at together */
const settleMs = 50;
/** who takes away again and again what we need keeps us no busier than this */
const mendGapMs = 1000;

const nothing: Found = { rules: false, presence: false };

/** Others flush rulesets and delete interfaces. The kernel tells at once; now and then it is looked in any case. */
export class HostWatch {
  private readonly options: HostWatchOptions;
  private poll: ReturnType<typeof setInterval> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private changes: Changes | undefined;
  /** what could not be looked at yet */
  private left: Found = nothing;
  private mendedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HostWatchOptions) {
    this.options = options;
  }

  start(): void {
    if (this.poll !== undefined) return;
    const poll = setInterval(() => this.look({ rules: false, presence: true }), this.options.everyMs);
    poll.unref();
    this.poll = poll;
    this.options
      .listen(() => this.later())
      .then(
        (changes) => {
          if (this.poll === poll) this.changes = changes;
          else changes.close(); // stopped meanwhile
        },
        (error: unknown) =>
          this.options.logger.info("the kernel does not tell of changes of networks: looking now and then", {
            error: messageOf(error),
          }),
      );
  }

  stop(): void {
    clearInterval(this.poll);
    clearTimeout(this.timer);
    this.poll = undefined;
    this.timer = undefined;
    this.changes?.close();
    this.changes = undefined;
    this.left = nothing;
  }

  private later(): void {
    if (this.timer !== undefined || this.poll === undefined) return;
    this.timer = setTimeout(() => {
      // what is heard while it is taken is taken as well
      const found = this.changes?.take() ?? nothing;
      this.timer = undefined;
      this.look(found);
    }, settleMs);
    this.timer.unref();
  }

  private look(found: Found): void {
    const all = { rules: found.rules || this.left.rules, presence: found.presence || this.left.presence };
    const soon = performance.now() < this.mendedAt + mendGapMs;
    const sight = soon && (all.rules || all.presence) ? "later" : this.options.look(all);
    this.left = sight === "later" ? all : nothing;
    if (sight === "mended") this.mendedAt = performance.now();
    if (sight === "later") this.later();
  }
}
