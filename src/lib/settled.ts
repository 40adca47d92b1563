const asked = new WeakMap<Promise<unknown>, Set<() => void>>();

/**
 * Calls `act` when the promise is settled, either way, unless what this returns is called before. A promise keeps whoever
 * asked it until it is settled: of one that lives for weeks, those who cannot wait that long ask by this.
 */
export function whenSettled(promise: Promise<unknown>, act: () => void): () => void {
  const acts = asked.get(promise) ?? ask(promise);
  // by a function of its own: the same may be asked for twice
  const mine = (): void => act();
  acts.add(mine);
  return () => acts.delete(mine);
}

function ask(promise: Promise<unknown>): Set<() => void> {
  const acts = new Set<() => void>();
  asked.set(promise, acts);
  const settled = (): void => {
    asked.delete(promise);
    for (const act of acts) act();
  };
  promise.then(settled, settled);
  return acts;
}
