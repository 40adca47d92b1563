import { TransportError } from "../errors.ts";

/**
 * Gives up on what stands still: `beat` says that something moved, and where nothing did for `stallMs` the signal
 * aborts with a sentence. It also aborts with the caller's own signals.
 */
export class Patience {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly stallMs: number;
  private last = performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(stallMs: number, signals: readonly AbortSignal[], what: string) {
    this.stallMs = stallMs;
    this.signal = AbortSignal.any([this.controller.signal, ...signals]);
    const check = (): void => {
      const idle = performance.now() - this.last;
      if (idle >= stallMs)
        this.controller.abort(
          new TransportError(`${what}: nothing came for ${Math.round(stallMs / 1000)} s`),
        );
      else this.arm(check, stallMs - idle);
    };
    this.arm(check, stallMs);
  }

  /** Time in which nobody asks for more is no standing still of the other side: the reader stops the clock. */
  pause(): void {
    this.last = Number.POSITIVE_INFINITY;
  }

  beat(): void {
    this.last = performance.now();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private arm(check: () => void, ms: number): void {
    this.timer = setTimeout(check, Math.min(Math.max(ms, 50), this.stallMs));
    this.timer.unref();
  }
}
