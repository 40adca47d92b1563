import { randomUUID } from "node:crypto";
import type { State } from "../state/database.ts";

/** The engine's identity, made once and kept with its state. */
export interface Identity {
  /** told by `info` */
  uuid: string;
  /** eight hex digits: part of the names of bridges, control groups and packet tables */
  short: string;
}

const key = "engine id";

export function readIdentity(state: State): Identity {
  const row = state.db.query<{ value: string }, [string]>("SELECT value FROM facts WHERE key = ?").get(key);
  if (row) return { uuid: row.value, short: row.value.slice(0, 8) };
  const uuid = randomUUID();
  state.transaction(() => state.db.query("INSERT INTO facts (key, value) VALUES (?, ?)").run(key, uuid));
  return { uuid, short: uuid.slice(0, 8) };
}
