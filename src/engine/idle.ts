import { releaseProgramText } from "../system/memory.ts";

/** How long nothing must happen, milliseconds. */
const quietMs = 3000;

/**
 * Gives memory back when the engine has nothing to do: once after each time of work, never while there is any. `touch`
 * is called with each request and costs next to nothing.
 */
export class IdleTrim {
  private touched = false;
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
    if (this.touched) {
      this.touched = false;
      return;
    }
    this.stop();
    Bun.gc(true);
    releaseProgramText();
  }
}
