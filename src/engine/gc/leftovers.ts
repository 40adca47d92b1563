import type { Images } from "../../images/contract.ts";
import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";

/** What a pull that broke off brought is kept for its next try that long: a weekend. */
const keptMs = 3 * 24 * 3600_000;
const everyMs = 3600_000;

/** Lets go of what broken pulls brought and nobody asked for again: at the start, and once an hour. */
export class Leftovers {
  private readonly images: Pick<Images, "collect">;
  private readonly logger: Logger;
  private readonly timer: NodeJS.Timeout;
  private running: Promise<void>;

  constructor(images: Pick<Images, "collect">, logger: Logger) {
    this.images = images;
    this.logger = logger;
    this.running = this.run();
    this.timer = setInterval(() => {
      this.running = this.run();
    }, everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      const { layers, bytes } = await this.images.collect(new Set(), {
        unusedForMs: keptMs,
        beginnings: true,
      });
      if (layers.length > 0)
        this.logger.info("layers of pulls that broke off were removed", { layers: layers.length, bytes });
    } catch (error) {
      this.logger.warn("layers of pulls that broke off could not be removed", { error: messageOf(error) });
    }
  }
}
