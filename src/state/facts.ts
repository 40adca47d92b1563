import type { State } from "./database.ts";

/** A fact about this engine that outlives its runs; undefined where none is recorded. */
export function readFact(state: State, key: string): string | undefined {
  const row = state.db.query<{ value: string }, [string]>("SELECT value FROM facts WHERE key = ?").get(key);
  return row?.value;
}

export function writeFact(state: State, key: string, value: string): void {
  const write = state.db.query("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)");
  state.transaction(() => write.run(key, value));
}
