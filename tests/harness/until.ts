/**
 * Asks until the answer is right or the time is up, and gives the last answer, which the caller then expects: so a failure
 * shows what it was instead. How many tries fit into a second is the machine's affair; a test waits for time, and generously.
 */
export async function until<Answer>(
  ask: () => Answer | Promise<Answer>,
  right: (answer: Answer) => boolean,
  { ms = 30_000, everyMs = 50 }: { ms?: number; everyMs?: number } = {},
): Promise<Answer> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (right(answer) || performance.now() > end) return answer;
    await Bun.sleep(everyMs);
  }
}

/** Whether it is so before the time is up. */
export const comesTrue = (
  question: () => boolean | Promise<boolean>,
  limits?: { ms?: number; everyMs?: number },
): Promise<boolean> => until(question, (is) => is, limits);
