import { ProgramPages } from "../system/process/memory.ts";

/** How often it is looked whether requests came, milliseconds. */
const lookMs = 1000;
/** Every how many looks the executable is unmapped. */
const releaseEvery = 3;

/** After this many looks without a request garbage is collected. */
const collections: ReadonlySet<number> = new Set([3, 15, 60]);
const lastCollection = Math.max(...collections);

/** Bun's own collections use much of the executable: while they go on, and when their threads end, milliseconds. */
const collectingMs = 100;
const threadsEndMs = 11_000;

/**
 * Gives memory back. What was mapped of the executable goes every few seconds, while there is work, too: what is needed
 * again comes back by a few hundred soft faults, under a millisecond, and half of it never does. Garbage is collected only
 * when there is nothing to do, and twice again later, as workers that end and what goes on in the background bring back
 * some of it. After that nothing wakes the engine but Bun, which collects twice a minute. `touch` is called with each
 * request and costs next to nothing.
 */
export class IdleTrim {
  private readonly pages = new ProgramPages();
  private readonly collected = new FinalizationRegistry(() => this.afterCollection());
  private touched = false;
  private looks = 0;
  /** looks since the last request */
  private quiet = 0;
  private timer: Timer | undefined;
  private late: Timer | undefined;

  constructor() {
    this.awaitCollection();
  }

  touch(): void {
    this.touched = true;
    this.timer ??= setInterval(() => this.look(), lookMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    this.quiet = this.touched ? 0 : this.quiet + 1;
    this.touched = false;
    if (this.looks === 0 || this.quiet === 1) this.pages.find();
    if (collections.has(this.quiet)) Bun.gc(true);
    if (this.quiet >= lastCollection + releaseEvery) this.stop();
    // last: what is used after this is mapped again
    if (this.looks++ % releaseEvery === 0 || this.quiet === 1 || this.timer === undefined)
      this.pages.release();
  }

  /** An object that nobody holds tells when garbage was collected. */
  private awaitCollection(): void {
    this.collected.register({}, undefined);
  }

  private afterCollection(): void {
    this.awaitCollection();
    if (this.quiet === 0) return;
    setTimeout(() => this.pages.release(), collectingMs).unref();
    clearTimeout(this.late);
    this.late = setTimeout(() => this.pages.release(), threadsEndMs).unref();
  }
}
