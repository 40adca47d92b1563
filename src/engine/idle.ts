import { releaseProgramText } from "../system/memory.ts";

/** How long nothing must happen, milliseconds. */
const quietMs = 3000;

/** Quiet times, counted from the last request, after which memory is given back. */
const trims: ReadonlySet<number> = new Set([1, 5, 20]);
const lastTrim = Math.max(...trims);

/**
 * Gives memory back. Program text goes every few seconds while there is work, too: what is needed again comes back by a few
 * hundred soft faults, under a millisecond, and half of it never does. Garbage is collected only when there is nothing to do,
 * and twice again later, as workers that end and what goes on in the background bring back some of it. `touch` is called
 * with each request and costs next to nothing.
 */
export class IdleTrim {
  private touched = false;
  private quiet = 0;
  private timer: Timer | undefined;

  touch(): void {
    this.touched = true;
    this.timer ??= setInterval(() => this.look(), quietMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    this.quiet = this.touched ? 0 : this.quiet + 1;
    this.touched = false;
    if (this.quiet >= lastTrim) this.stop();
    if (trims.has(this.quiet)) Bun.gc(true);
    else if (this.quiet > 0) return;
    releaseProgramText();
  }
}
