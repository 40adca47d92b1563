/** Runs pieces of work one at a time, in the order they came. */
export class Lock {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    // the next in the queue must not care how this one ended
    this.last = result.catch(() => undefined);
    return result;
  }
}
