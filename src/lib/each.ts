/**
 * Runs `work` on all items, `atOnce` of them at a time, and waits for those that were begun even when one fails: then no
 * more are begun, and the first failure is told.
 */
export async function eachOf<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const line = async (): Promise<void> => {
    for (let step = rest.next(); !step.done && failures.length === 0; step = rest.next())
      await work(step.value).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  if (failures.length > 0) throw failures[0];
}
