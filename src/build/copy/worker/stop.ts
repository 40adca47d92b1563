import { EngineError } from "../../../lib/errors.ts";

/** What both threads see: not 0 once nobody wants the walk over a tree any more, which looks at every file. */
export type Stop = Int32Array<SharedArrayBuffer>;

export function throwIfStopped(stop: Stop | undefined): void {
  if (stop !== undefined && Atomics.load(stop, 0) !== 0)
    throw new EngineError("conflict", "the build was cancelled");
}

/** Gives `work` a word for its thread that `signal` sets. */
export async function stoppedBy<Result>(
  signal: AbortSignal,
  work: (stop: Stop) => Promise<Result>,
): Promise<Result> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const set = (): void => void Atomics.store(stop, 0, 1);
  signal.addEventListener("abort", set);
  if (signal.aborted) set();
  try {
    return await work(stop);
  } finally {
    signal.removeEventListener("abort", set);
  }
}
