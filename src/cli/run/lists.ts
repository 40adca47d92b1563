/*
 * What the methods of arrays do, for the lists of a command line, which are short and mostly empty. The built-in methods
 * are compiled by the engine of the language where they are first used: 0.02 to 0.17 ms each, in a command of 12.
 */

export function mapped<T, U>(items: Iterable<T>, make: (item: T) => U): U[] {
  const made: U[] = [];
  for (const item of items) made.push(make(item));
  return made;
}

export function flattened<T, U>(items: Iterable<T>, make: (item: T) => Iterable<U>): U[] {
  const made: U[] = [];
  for (const item of items) for (const each of make(item)) made.push(each);
  return made;
}

export function kept<T>(items: Iterable<T>, keep: (item: T) => boolean): T[] {
  const found: T[] = [];
  for (const item of items) if (keep(item)) found.push(item);
  return found;
}

export const sorted = <T>(items: Iterable<T>, compare?: (a: T, b: T) => number): T[] => {
  const all = [...items];
  return all.length > 1 ? all.sort(compare) : all;
};

/** As Docker's client sends a list that is empty. */
export const orNull = (items: readonly string[]): string[] | null => (items.length > 0 ? [...items] : null);
