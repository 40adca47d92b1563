import { ProgramPages } from "../system/memory.ts";

/** How long nothing must happen, milliseconds. */
const quietMs = 3000;

/** Quiet times, counted from the last request, after which garbage is collected. */
const collections: ReadonlySet<number> = new Set([1, 5, 20]);
const lastCollection = Math.max(...collections);

/** Bun's own collections use much of the executable: when they are done, and when their threads end, 10 s after, milliseconds. */
const afterCollection = [3000, 11_000];

/**
 * Gives memory back. What was mapped of the executable goes every few seconds, while there is work, too: what is needed
 * again comes back by a few hundred soft faults, under a millisecond, and half of it never does. Garbage is collected only
 * when there is nothing to do, and twice again later, as workers that end and what goes on in the background bring back
 * some of it. `touch` is called with each request and costs next to nothing.
 */
export class IdleTrim {
  private readonly pages = new ProgramPages();
  private readonly collected = new FinalizationRegistry(() => this.afterCollection());
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
    if (this.quiet <= 1) this.pages.find();
    if (collections.has(this.quiet)) Bun.gc(true);
    if (this.quiet > lastCollection) this.rest();
    this.pages.release(); // last: what is used after this is mapped again
  }

  /** From here on nothing wakes the engine but Bun, which collects twice a minute. */
  private rest(): void {
    this.stop();
    this.awaitCollection();
  }

  /** An object that nobody holds tells when garbage was collected. */
  private awaitCollection(): void {
    this.collected.register({}, undefined);
  }

  private afterCollection(): void {
    if (this.timer !== undefined) return;
    for (const ms of afterCollection) setTimeout(() => this.pages.release(), ms).unref();
    this.awaitCollection();
  }
}
