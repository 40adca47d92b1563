import type { WaitResponse } from "../../types/api.ts";
import type { WaitCondition } from "../contract.ts";

/** Those who wait for a container's end or removal. */
export class Waiters {
  private readonly waiting = new Set<{ condition: WaitCondition; resolve: (answer: WaitResponse) => void }>();

  /** Resolves at the condition; rejects with the signal's reason when the client goes away. */
  wait(condition: WaitCondition, signal: AbortSignal): Promise<WaitResponse> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.waiting.delete(entry);
        reject(signal.reason);
      };
      const entry = {
        condition,
        resolve: (answer: WaitResponse): void => {
          signal.removeEventListener("abort", abort);
          resolve(answer);
        },
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener("abort", abort, { once: true });
      this.waiting.add(entry);
    });
  }

  exited(exitCode: number): void {
    this.settled({
      StatusCode: 1,
      Error: { Message: `the container ended with exit code ${exitCode} before it was healthy` },
    });
    this.answer((condition) => condition !== "removed", { StatusCode: exitCode });
  }

  /** Whether it is healthy is known: for those who wait for that. */
  settled(answer: WaitResponse): void {
    this.answer((condition) => condition === "healthy", answer);
  }

  removed(exitCode: number): void {
    this.exited(exitCode);
    this.answer(() => true, { StatusCode: exitCode });
  }

  /** A removal that failed: those who wait for it must hear of it. */
  removalFailed(exitCode: number, message: string): void {
    this.answer((condition) => condition === "removed", {
      StatusCode: exitCode,
      Error: { Message: message },
    });
  }

  private answer(whom: (condition: WaitCondition) => boolean, answer: WaitResponse): void {
    for (const entry of [...this.waiting]) {
      if (!whom(entry.condition)) continue;
      this.waiting.delete(entry);
      entry.resolve(answer);
    }
  }
}
