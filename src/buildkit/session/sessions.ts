import type { Duplex } from "node:stream";
import { EngineError } from "../../lib/errors.ts";
import { Session, type SessionHello } from "./session.ts";

/** How long a call waits for the session it names: clients open both at the same time. */
const waitMs = 5000;
const sessionsAtMost = 1024;

/** The sessions that are open, by id. */
export class Sessions {
  private readonly open = new Map<string, Session>();
  private readonly waiting = new Map<string, Set<() => void>>();

  /** Takes over a client's connection. Throws `conflict` for an id that is in use. */
  add(hello: SessionHello, socket: Duplex): Session {
    if (this.open.has(hello.id)) throw new EngineError("conflict", `session ${hello.id} already exists`);
    if (this.open.size >= sessionsAtMost) throw new EngineError("unavailable", "too many sessions are open");
    const session = new Session(hello, socket);
    this.open.set(hello.id, session);
    void session.client.closed.then(() => this.open.delete(hello.id));
    for (const wake of this.waiting.get(hello.id) ?? []) wake();
    return session;
  }

  /** The session of that id, waiting a little for it. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const there = this.open.get(id);
    if (there) return there;
    await this.arrival(id, signal);
    signal.throwIfAborted();
    const session = this.open.get(id);
    if (!session) throw new EngineError("notFound", `no active session for ${id}: context deadline exceeded`);
    return session;
  }

  close(): void {
    for (const session of this.open.values()) session.client.close();
  }

  private arrival(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wakers = this.waiting.get(id) ?? new Set();
      this.waiting.set(id, wakers);
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        wakers.delete(wake);
        if (wakers.size === 0) this.waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      signal.addEventListener("abort", wake, { once: true });
      wakers.add(wake);
    });
  }
}
