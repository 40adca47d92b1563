import type { State } from "../../state/database.ts";
import type { BuildHistoryLog, BuildHistoryRecord } from "../contract.ts";

/** Builds that are remembered; the oldest are forgotten first. */
const recordsMax = 100;

/** What was built, newest first. A build that an engine's end cut short is told as failed. */
export class BuildHistory {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  /** A build at its end, with what it printed. */
  async close(record: BuildHistoryRecord, logs: readonly BuildHistoryLog[]): Promise<void> {
    const packed = logs.length > 0 ? await Bun.zstdCompress(JSON.stringify(logs), { level: 1 }) : undefined;
    this.put(record, packed);
  }

  async logs(ref: string): Promise<BuildHistoryLog[]> {
    const row = this.state.db
      .query<{ logs: Uint8Array }, [string]>("SELECT logs FROM build_logs WHERE ref = ?")
      .get(ref);
    if (row === null) return [];
    return JSON.parse(Buffer.from(await Bun.zstdDecompress(row.logs)).toString()) as BuildHistoryLog[];
  }

  /** What the build printed goes with it: without `logs`, what was printed under that ref before is forgotten. */
  put(record: BuildHistoryRecord, logs?: Uint8Array): void {
    const { db } = this.state;
    this.state.transaction(() => {
      db.query("INSERT OR REPLACE INTO build_history VALUES (?, ?, ?, ?)").run(
        record.ref,
        record.startedAt,
        record.completedAt ?? null,
        JSON.stringify(record),
      );
      db.query(
        "DELETE FROM build_history WHERE ref NOT IN (SELECT ref FROM build_history ORDER BY started_at DESC LIMIT ?)",
      ).run(recordsMax);
      if (logs === undefined) db.query("DELETE FROM build_logs WHERE ref = ?").run(record.ref);
      else db.query("INSERT OR REPLACE INTO build_logs VALUES (?, ?)").run(record.ref, logs);
      db.query("DELETE FROM build_logs WHERE ref NOT IN (SELECT ref FROM build_history)").run();
    });
  }

  all(): BuildHistoryRecord[] {
    return this.state.db
      .query<{ record: string }, []>("SELECT record FROM build_history ORDER BY started_at DESC")
      .all()
      .map(({ record }) => JSON.parse(record) as BuildHistoryRecord);
  }

  remove(ref: string): boolean {
    return this.state.transaction(() => {
      this.state.db.query("DELETE FROM build_logs WHERE ref = ?").run(ref);
      return this.state.db.query("DELETE FROM build_history WHERE ref = ?").run(ref).changes > 0;
    });
  }

  /** At start: nothing runs yet. */
  closeOpen(): void {
    for (const record of this.all())
      if (record.status === "running")
        this.put({ ...record, status: "error", error: "the engine ended", completedAt: record.startedAt });
  }
}
