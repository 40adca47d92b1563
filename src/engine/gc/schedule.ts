import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { GcOptions } from "../config.ts";
import type { Gc } from "./collect.ts";

/** Collects by the configured policy, from time to time; a change of the options counts from then on. */
export class GcSchedule {
  private readonly gc: Gc;
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(gc: Gc, logger: Logger) {
    this.gc = gc;
    this.logger = logger;
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

  private async run(options: GcOptions): Promise<void> {
    try {
      const { removed, bytes } = await this.gc(options.policy);
      if (removed.length > 0)
        this.logger.info("unused images were removed by policy", { images: removed.length, bytes });
    } catch (error) {
      this.logger.warn("images could not be collected", { error: messageOf(error) });
    }
  }
}
