import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { GcOptions } from "../config/config.ts";
import { ClockWatch } from "./clock.ts";
import type { Gc } from "./collect.ts";

/** Collects by the configured policy, from time to time; a change of the options counts from then on. */
export class GcSchedule {
  private readonly gc: Gc;
  private readonly logger: Logger;
  private readonly clock: Pick<ClockWatch, "wasSet">;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(gc: Gc, logger: Logger, clock: Pick<ClockWatch, "wasSet"> = new ClockWatch()) {
    this.gc = gc;
    this.logger = logger;
    this.clock = clock;
  }

  configure(options: GcOptions | undefined): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (options === undefined) return;
    this.timer = setInterval(() => {
      this.running = this.run(options);
    }, options.everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** One turn. Where the clock was set since the last, nothing goes by its age: it may be set right before the next. */
  async run({ policy }: GcOptions): Promise<void> {
    try {
      const { unusedForMs, ...others } = policy;
      const set = this.clock.wasSet();
      if (set && unusedForMs !== undefined)
        this.logger.warn("the clock was set: no image is removed for its age this time");
      if (set && Object.keys(others).length === 0) return;
      const { removed, bytes } = await this.gc(set ? others : policy);
      if (removed.length > 0)
        this.logger.info("unused images were removed by policy", { images: removed.length, bytes });
    } catch (error) {
      this.logger.warn("images could not be collected", { error: messageOf(error) });
    }
  }
}
