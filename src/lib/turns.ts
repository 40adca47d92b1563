/** How long long work holds the thread before others have their turns, milliseconds. */
const stepMs = 2;

/** when the step that is under way is over */
let until = 0;
/** works that wait for a step of their own: each has one, and between two of them are all others' turns */
const waiting: (() => void)[] = [];

/**
 * For long work in small pieces: awaited between them, it lets others have their turns when a step is over. Works that go
 * on at the same time share the thread: ten of them hold it no longer than one.
 */
export function turns(): () => Promise<void> | undefined {
  if (waiting.length === 0) until = performance.now() + stepMs;
  return () => {
    if (performance.now() < until) return undefined;
    return new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(nextStep);
    });
  };
}

function nextStep(): void {
  until = performance.now() + stepMs;
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(nextStep);
}
