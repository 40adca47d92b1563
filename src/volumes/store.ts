import type { State } from "../state/database.ts";

/** A volume's row. */
export interface VolumeRecord {
  name: string;
  driver: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
  /** milliseconds since the epoch */
  createdMs: number;
}

interface Row {
  name: string;
  driver: string;
  labels: string;
  options: string;
  created_at: number;
}

/** The table `volumes`, mirrored in memory. Each change is one transaction. */
export class VolumeStore {
  private readonly state: State;
  private readonly volumes = new Map<string, VolumeRecord>();

  constructor(state: State) {
    this.state = state;
    const rows = state.db.query<Row, []>(
      "SELECT name, driver, labels, options, created_at FROM volumes ORDER BY name",
    );
    for (const row of rows.all())
      this.volumes.set(row.name, {
        name: row.name,
        driver: row.driver,
        labels: JSON.parse(row.labels),
        options: JSON.parse(row.options),
        createdMs: row.created_at,
      });
  }

  get(name: string): VolumeRecord | undefined {
    return this.volumes.get(name);
  }

  all(): VolumeRecord[] {
    return [...this.volumes.values()];
  }

  add(volume: VolumeRecord): void {
    const { name, driver, labels, options, createdMs } = volume;
    this.state.transaction(() =>
      this.state.db
        .query("INSERT INTO volumes (name, driver, labels, options, created_at) VALUES (?, ?, ?, ?, ?)")
        .run(name, driver, JSON.stringify(labels), JSON.stringify(options), createdMs),
    );
    this.volumes.set(name, volume);
  }

  remove(name: string): void {
    this.state.transaction(() => this.state.db.query("DELETE FROM volumes WHERE name = ?").run(name));
    this.volumes.delete(name);
  }
}
