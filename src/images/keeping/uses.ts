import type { State } from "../../state/database.ts";

/** A container is made of an image more often than it is worth writing down. */
const writeEveryMs = 10 * 60_000;
const writeDelayMs = 2000;

/** When images were last used. Told from memory; written behind the work, so a crash may lose the last minutes. */
export class Uses {
  private readonly state: State;
  private readonly usedAt = new Map<string, number>();
  private readonly writtenAt = new Map<string, number>();
  private readonly waiting = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(state: State) {
    this.state = state;
    const rows = state.db.query<{ image_id: string; used_at: number }, []>(
      "SELECT image_id, used_at FROM image_uses",
    );
    for (const { image_id, used_at } of rows.all()) {
      this.usedAt.set(image_id, used_at);
      this.writtenAt.set(image_id, used_at);
    }
  }

  /** Milliseconds since the epoch; undefined where no container was ever made of it. */
  get(id: string): number | undefined {
    return this.usedAt.get(id);
  }

  touch(id: string): void {
    const now = Date.now();
    this.usedAt.set(id, now);
    // the clock may have been set back meanwhile
    if (Math.abs(now - (this.writtenAt.get(id) ?? 0)) < writeEveryMs) return;
    this.waiting.add(id);
    this.timer ??= setTimeout(() => this.flush(), writeDelayMs).unref();
  }

  forget(id: string): void {
    this.waiting.delete(id);
    if (!this.usedAt.delete(id)) return;
    this.writtenAt.delete(id);
    this.state.db.query("DELETE FROM image_uses WHERE image_id = ?").run(id);
  }

  /** Writes what waits: in a while by itself, and at the engine's end. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.size === 0) return;
    this.state.transaction(() => {
      const write = this.state.db.query(
        "INSERT OR REPLACE INTO image_uses (image_id, used_at) VALUES (?, ?)",
      );
      for (const id of this.waiting) write.run(id, this.usedAt.get(id) ?? Date.now());
    });
    for (const id of this.waiting) this.writtenAt.set(id, this.usedAt.get(id) ?? 0);
    this.waiting.clear();
  }
}
