/** How long one piece of work holds the thread before others have their turns, milliseconds. */
const stepMs = 2;

/** For long work in small pieces: awaited between them, it lets others have their turns when a step is over. */
export function turns(): () => Promise<void> | undefined {
  let until = performance.now() + stepMs;
  return () => {
    if (performance.now() < until) return undefined;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      until = performance.now() + stepMs;
    });
  };
}
