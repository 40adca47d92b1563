/** Told to everyone who waits for the same work. */
export type Listener<Message> = (message: Message) => void;

interface Running<Message> {
  listeners: Set<Listener<Message>>;
  /** what a newcomer is told first: the newest message */
  last: Message | undefined;
  controller: AbortController;
  result: Promise<void>;
}

/**
 * Work that several callers may want at once is done once, by key: who comes second waits for the first's, and is told
 * what it tells. It is given up when the last who wants it has gone.
 */
export class SharedWork<Message> {
  private readonly running = new Map<string, Running<Message>>();

  async join(
    key: string,
    work: (signal: AbortSignal, tell: Listener<Message>) => Promise<void>,
    { listener, signal }: { listener: Listener<Message>; signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    for (let dying = this.running.get(key); dying?.controller.signal.aborted; dying = this.running.get(key))
      await dying.result.catch(() => undefined); // it was given up: two must not write at once
    const shared = this.running.get(key) ?? this.start(key, work);
    if (shared.last !== undefined) listener(shared.last);
    shared.listeners.add(listener);
    let leave: () => void = () => undefined;
    const gone = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
    });
    signal.addEventListener("abort", leave, { once: true });
    try {
      await Promise.race([shared.result, gone]);
    } finally {
      signal.removeEventListener("abort", leave);
      shared.listeners.delete(listener);
      if (shared.listeners.size === 0) shared.controller.abort(new Error("context canceled"));
    }
  }

  private start(
    key: string,
    work: (signal: AbortSignal, tell: Listener<Message>) => Promise<void>,
  ): Running<Message> {
    const controller = new AbortController();
    const shared: Running<Message> = {
      listeners: new Set(),
      last: undefined,
      controller,
      result: Promise.resolve(),
    };
    shared.result = work(controller.signal, (message) => {
      shared.last = message;
      for (const each of shared.listeners) each(message);
    }).finally(() => this.forget(key, shared));
    shared.result.catch(() => undefined); // told to those who wait
    this.running.set(key, shared);
    return shared;
  }

  private forget(key: string, shared: Running<Message>): void {
    if (this.running.get(key) === shared) this.running.delete(key);
  }
}
