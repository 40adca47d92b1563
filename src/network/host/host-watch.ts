import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { Changes, Found } from "../kernel/changes.ts";

/**
 * What came of a look: all is there, it was made anew, that failed and is to be tried again, or something is under way
 * and it must be looked again.
 */
export type Sight = "well" | "mended" | "failed" | "later";

export interface HostWatchOptions {
  /** how often it is looked where the kernel does not tell, or what is lost could not be made; milliseconds */
  againMs: number;
  /** hears what others change; `heard` says that there is something to be taken, `ended` that nothing is heard any more */
  listen: (heard: () => void, ended: () => void) => Promise<Changes>;
  look: (found: Found) => Promise<Sight>;
  logger: Logger;
}

/** firewalls are loaded anew by many changes: they are looked at together */
const settleMs = 50;
/** who takes away again and again what we need keeps us no busier than this */
const mendGapMs = 1000;

const nothing: Found = { rules: false, presence: false };
const everything: Found = { rules: true, presence: true };
const both = (one: Found, other: Found): Found => ({
  rules: one.rules || other.rules,
  presence: one.presence || other.presence,
});

/**
 * Others flush rulesets and delete interfaces. The kernel tells at once, also that it could not tell all; an engine that
 * rests is not woken. Only where the kernel does not tell is it looked now and then.
 */
export class HostWatch {
  private readonly options: HostWatchOptions;
  /** of this watch; another one after a stop */
  private turn: object | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private changes: Changes | undefined;
  /** what could not be looked at yet */
  private left: Found = nothing;
  private looking = false;
  private deaf = false;
  private mendedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HostWatchOptions) {
    this.options = options;
  }

  start(): void {
    if (this.turn !== undefined) return;
    const turn = {};
    this.turn = turn;
    this.deaf = false;
    const ended = (error: unknown): void => {
      if (this.turn !== turn || this.deaf) return;
      this.options.logger.info("the kernel does not tell of changes of networks: looking now and then", {
        error: messageOf(error),
      });
      this.deaf = true;
      this.later(this.options.againMs);
    };
    this.options
      .listen(
        () => this.later(settleMs),
        () => ended("it has stopped"),
      )
      .then((changes) => {
        if (this.turn !== turn) return changes.close(); // stopped meanwhile
        this.changes = changes;
        // what went before it listened was told to nobody; a listing of the rules would cost each first container
        this.left = { rules: false, presence: true };
        this.later(settleMs);
      }, ended);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.turn = undefined;
    this.timer = undefined;
    this.changes?.close();
    this.changes = undefined;
    this.left = nothing;
  }

  private later(ms: number): void {
    if (this.timer !== undefined || this.turn === undefined) return;
    this.timer = setTimeout(() => {
      // what is heard while it is taken is taken as well
      const taken = this.changes?.take() ?? nothing;
      this.timer = undefined;
      this.left = both(both(this.left, taken), this.deaf ? everything : nothing);
      void this.look();
    }, ms);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const { turn, left } = this;
    const soon = performance.now() < this.mendedAt + mendGapMs;
    if (this.looking || (soon && (left.rules || left.presence))) return this.later(settleMs);
    this.looking = true;
    this.left = nothing;
    const sight = await this.options.look(left).catch((error: unknown): Sight => {
      this.options.logger.warn("look at what networks need", { error: messageOf(error) });
      return "failed";
    });
    this.looking = false;
    if (sight === "mended") this.mendedAt = performance.now();
    if (this.turn !== turn) return;
    if (sight === "later" || sight === "failed") this.left = both(left, this.left);
    if (sight === "later") this.later(settleMs);
    else if (sight === "failed" || this.deaf) this.later(this.options.againMs);
  }
}
