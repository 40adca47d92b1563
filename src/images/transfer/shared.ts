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

/**
 * Work that several callers may want at once is done once, by key: who comes second waits for the first's, and is told
 * what it tells. It is given up when the last who wants it has gone.
 */
export class SharedWork<Message, Result = void> {
  private readonly running = new Map<string, Running<Message, Result>>();

  async join(
    key: string,
    work: Work<Message, Result>,
    { listener, signal }: { listener: Listener<Message>; signal: AbortSignal },
  ): Promise<Result> {
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
      return await Promise.race([shared.result, gone]);
    } finally {
      signal.removeEventListener("abort", leave);
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
