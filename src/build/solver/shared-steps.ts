import { EngineError } from "../../lib/errors.ts";

/** What a step that runs tells, to every build that waits for it. */
export interface StepListener {
  output(stream: 1 | 2, data: Uint8Array, time: number): Promise<void> | void;
  signal: AbortSignal;
}

export interface StepResult {
  layer: string;
  created: string;
  usage: { cpuMs: number; peakMemory: number; bytesAdded: number };
  /** the step's key tells something else than what was made: no later build may find it by that */
  isUnkeyed?: boolean;
}

interface Running {
  listeners: Set<StepListener>;
  /** the output so far, for builds that join; bounded */
  said: { stream: 1 | 2; data: Uint8Array; time: number }[];
  saidBytes: number;
  abort: AbortController;
  result: Promise<StepResult>;
}

const keptBytes = 256 * 1024;

export type RunStep = (
  output: (stream: 1 | 2, data: Uint8Array) => Promise<void>,
  signal: AbortSignal,
) => Promise<StepResult>;

/** Steps under way, by key: builds that need the same one share it. It ends when the last of them gives up. */
export class SharedSteps {
  private readonly running = new Map<string, Running>();

  /** `key` undefined = not to be shared. */
  async run(key: string | undefined, listener: StepListener, step: RunStep): Promise<StepResult> {
    listener.signal.throwIfAborted();
    const there = key === undefined ? undefined : this.running.get(key);
    const running = there ?? this.start(key, step);
    running.listeners.add(listener);
    if (there) for (const { stream, data, time } of there.said) void listener.output(stream, data, time);
    return await this.wait(key, running, listener);
  }

  /** Whether some build runs that step now. */
  has(key: string): boolean {
    return this.running.has(key);
  }

  private start(key: string | undefined, step: RunStep): Running {
    const abort = new AbortController();
    const listeners = new Set<StepListener>();
    const running: Running = {
      listeners,
      said: [],
      saidBytes: 0,
      abort,
      result: Promise.resolve().then(() => step((stream, data) => tell(running, stream, data), abort.signal)),
    };
    if (key !== undefined) this.running.set(key, running);
    const forget = (): void => {
      if (key !== undefined && this.running.get(key) === running) this.running.delete(key);
    };
    running.result.then(forget, forget);
    return running;
  }

  private async wait(key: string | undefined, running: Running, listener: StepListener): Promise<StepResult> {
    const { signal } = listener;
    const leave = (): void => {
      running.listeners.delete(listener);
      if (running.listeners.size > 0) return;
      // nobody may join what is being given up
      if (key !== undefined && this.running.get(key) === running) this.running.delete(key);
      running.abort.abort(signal.reason ?? new EngineError("conflict", "the build was cancelled"));
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      const last = (): boolean => running.listeners.size === 0;
      // who gives up while others go on does not wait for them; the last one waits until all is cleared away
      return await Promise.race([
        running.result,
        new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => last() || reject(signal.reason), { once: true });
        }),
      ]);
    } finally {
      signal.removeEventListener("abort", leave);
      running.listeners.delete(listener);
    }
  }
}

async function tell(running: Running, stream: 1 | 2, data: Uint8Array): Promise<void> {
  const time = Date.now();
  if (running.saidBytes < keptBytes) {
    running.said.push({ stream, data, time });
    running.saidBytes += data.length;
  }
  await Promise.all([...running.listeners].map((listener) => listener.output(stream, data, time)));
}
