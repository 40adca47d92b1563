/** Told to everyone who waits for the same work. */
export type Listener<Message> = (message: Message) => void;

type Work<Message, Result> = (signal: AbortSignal, tell: Listener<Message>) => Promise<Result>;

interface Running<Message, Result> {
  listeners: Set<Listener<Message>>;
  /** what a newcomer is told first: the newest message */
  last: Message | undefined;
  controller: AbortController;
  result: Promise<Result>;
}

interface Watcher<Message> {
  listener: Listener<Message>;
  signal: AbortSignal;
}

/**
 * Work that several callers may want at once is done once, by key: who comes second waits for the first's, and is told
 * what it tells. It is given up when the last who wants it has gone.
 */
export class SharedWork<Message, Result = void> {
  private readonly running = new Map<string, Running<Message, Result>>();

  async join(key: string, work: Work<Message, Result>, watcher: Watcher<Message>): Promise<Result> {
    const { signal } = watcher;
    signal.throwIfAborted();
    for (let dying = this.running.get(key); dying?.controller.signal.aborted; dying = this.running.get(key)) {
      const ended = dying.result.catch(() => undefined); // it was given up: two must not write at once
      await unlessAborted(ended, signal);
      signal.throwIfAborted();
    }
    return await this.watch(this.running.get(key) ?? this.start(key, work), watcher);
  }

  /** Like `join`, but begins nothing: undefined where nobody does that work, or it is being given up. */
  async follow(key: string, watcher: Watcher<Message>): Promise<Result | undefined> {
    watcher.signal.throwIfAborted();
    const shared = this.running.get(key);
    if (shared === undefined || shared.controller.signal.aborted) return undefined;
    return await this.watch(shared, watcher);
  }

  private async watch(
    shared: Running<Message, Result>,
    { listener, signal }: Watcher<Message>,
  ): Promise<Result> {
    if (shared.last !== undefined) listener(shared.last);
    shared.listeners.add(listener);
    try {
      return await unlessAborted(shared.result, signal);
    } finally {
      shared.listeners.delete(listener);
      if (shared.listeners.size === 0) shared.controller.abort(new Error("context canceled"));
    }
  }

  private start(key: string, work: Work<Message, Result>): Running<Message, Result> {
    const controller = new AbortController();
    const listeners = new Set<Listener<Message>>();
    const tell = (message: Message): void => {
      shared.last = message;
      for (const each of listeners) each(message);
    };
    const result = Promise.resolve()
      .then(() => work(controller.signal, tell))
      .finally(() => this.forget(key, shared));
    result.catch(() => undefined); // told to those who wait
    const shared: Running<Message, Result> = { listeners, last: undefined, controller, result };
    this.running.set(key, shared);
    return shared;
  }

  private forget(key: string, shared: Running<Message, Result>): void {
    if (this.running.get(key) === shared) this.running.delete(key);
  }
}

/** Rejects with the signal's reason where it comes first. */
function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    void result.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
