import { newId } from "../lib/ids.ts";
import type { State } from "./database.ts";

type LeaseKind = "blob" | "layer" | "image";

/** Milliseconds by a clock that nobody sets: leases are of this engine's run alone. */
const steadyMs = (): number => Math.round(performance.timeOrigin + performance.now());

/**
 * Leases: while an operation (a load, a pull, a build) holds one on a blob, layer or image, collection spares it.
 * A lease of a crashed engine ends by its time, or at the next start, when nothing can hold it any more.
 */
export class Leases {
  private readonly state: State;
  private readonly listeners: (() => void)[] = [];

  constructor(state: State) {
    this.state = state;
  }

  /** Tells when a lease has ended: what it held may be free now. */
  onEnd(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Opens a lease that ends by itself after `ttlMs`. */
  open(ttlMs = 24 * 3600_000): Lease {
    return new Lease(this.state, newId(), steadyMs() + ttlMs, () => {
      for (const listener of this.listeners) listener();
    });
  }

  /** Every resource of a kind that a lease holds now. */
  held(kind: LeaseKind): Set<string> {
    const rows = this.state.db
      .query<{ resource: string }, [string, number]>(
        "SELECT resource FROM leases WHERE kind = ? AND expires_at > ?",
      )
      .all(kind, steadyMs());
    return new Set(rows.map((row) => row.resource));
  }

  /** Ends every lease: at the engine's start, before anything runs. */
  clear(): void {
    this.state.db.run("DELETE FROM leases");
  }
}

export class Lease {
  private readonly state: State;
  private readonly id: string;
  private readonly expiresAt: number;
  private readonly ended: () => void;

  constructor(state: State, id: string, expiresAt: number, ended: () => void) {
    this.state = state;
    this.id = id;
    this.expiresAt = expiresAt;
    this.ended = ended;
  }

  hold(kind: LeaseKind, resource: string): void {
    this.state.db
      .query("INSERT OR REPLACE INTO leases (id, kind, resource, expires_at) VALUES (?, ?, ?, ?)")
      .run(this.id, kind, resource, this.expiresAt);
  }

  end(): void {
    this.state.db.query("DELETE FROM leases WHERE id = ?").run(this.id);
    this.ended();
  }
}
