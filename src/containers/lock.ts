/** Runs pieces of work one at a time, in the order they came. */
export class Lock {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  run<T>(work: () => Promise<T>): Promise<T> {
    this.waiting++;
    const result = this.last.then(work).finally(() => {
      this.waiting--;
    });
    // the next in the queue must not care how this one ended
    this.last = result.catch(() => undefined);
    return result;
  }

  get busy(): boolean {
    return this.waiting > 0;
  }
}
