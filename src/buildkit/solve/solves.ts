import { EngineError } from "../../lib/errors.ts";
import type { Solve } from "./solve.ts";

/** How long a call waits for the build it names: clients make both calls at once. */
const waitMs = 5000;
/** ended builds whose progress can still be watched */
const keptAtMost = 20;

/** Builds by their client's reference: those that run, and the last that ended. */
export class Solves {
  private readonly solves = new Map<string, Solve>();
  private readonly arrivals = new Set<() => void>();

  add(solve: Solve): void {
    const { ref } = solve.request;
    const before = this.solves.get(ref);
    if (before && !before.progress.done) throw new EngineError("conflict", `job ID ${ref} exists`);
    this.solves.delete(ref);
    this.solves.set(ref, solve);
    for (const wake of [...this.arrivals]) wake();
  }

  /** Called when a build has ended: the oldest of those are forgotten. */
  trim(): void {
    const ended = [...this.solves.values()].filter(({ progress }) => progress.done);
    for (const { request } of ended.slice(0, Math.max(0, ended.length - keptAtMost)))
      this.solves.delete(request.ref);
  }

  get(ref: string): Solve | undefined {
    return this.solves.get(ref);
  }

  /** Something that the history tells of one of these builds. */
  document(digest: string): Uint8Array | undefined {
    for (const { documents } of this.solves.values())
      for (const document of documents) if (document.digest === digest) return document.bytes;
    return undefined;
  }

  async wait(ref: string, signal: AbortSignal): Promise<Solve> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const solve = this.solves.get(ref);
      if (solve) return solve;
      signal.throwIfAborted();
      if (performance.now() >= deadline) throw new EngineError("notFound", `no such job ${ref}`);
      await this.arrival(deadline - performance.now(), signal);
    }
  }

  private arrival(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.arrivals.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener("abort", wake, { once: true });
      this.arrivals.add(wake);
    });
  }
}
