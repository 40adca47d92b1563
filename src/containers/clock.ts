/** Timers, so that tests can drive time. */
export interface Clock {
  after(ms: number, act: () => void): () => void;
}

/** A timer of more is one of a millisecond: 25 days, which is as good as never. */
export const longestTimerMs = 2 ** 31 - 1;

export const realClock: Clock = {
  after(ms, act) {
    const timer = setTimeout(act, Math.min(ms, longestTimerMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
