import type { State } from "../state/database.ts";

/** A volume's row. */
export interface VolumeRecord {
  name: string;
  driver: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
  /** milliseconds since the epoch */
  createdMs: number;
  /** no prune takes it */
  pinned: boolean;
  /** the name its folder still has, in the middle of a rename; "" = its own */
  movedFrom: string;
}

/** What is asked for, before there is a row. */
export type NewVolume = Pick<VolumeRecord, "name" | "driver" | "labels" | "options">;

interface Row {
  name: string;
  driver: string;
  labels: string;
  options: string;
  created_at: number;
  moved_from: string;
  pinned: number;
}

/** The table `volumes`, mirrored in memory. Each change is one transaction. */
export class VolumeStore {
  private readonly state: State;
  private readonly volumes = new Map<string, VolumeRecord>();

  constructor(state: State) {
    this.state = state;
    const rows = state.db.query<Row, []>(
      "SELECT name, driver, labels, options, created_at, moved_from, pinned FROM volumes ORDER BY name",
    );
    for (const row of rows.all())
      this.volumes.set(row.name, {
        name: row.name,
        driver: row.driver,
        labels: JSON.parse(row.labels),
        options: JSON.parse(row.options),
        createdMs: row.created_at,
        movedFrom: row.moved_from,
        pinned: row.pinned !== 0,
      });
  }

  get(name: string): VolumeRecord | undefined {
    return this.volumes.get(name);
  }

  all(): VolumeRecord[] {
    return [...this.volumes.values()];
  }

  add(wanted: NewVolume): VolumeRecord {
    const volume = { ...wanted, createdMs: Date.now(), pinned: false, movedFrom: "" };
    const { name, driver, labels, options, createdMs } = volume;
    this.state.transaction(() =>
      this.state.db
        .query("INSERT INTO volumes (name, driver, labels, options, created_at) VALUES (?, ?, ?, ?, ?)")
        .run(name, driver, JSON.stringify(labels), JSON.stringify(options), createdMs),
    );
    this.volumes.set(name, volume);
    return volume;
  }

  /** `also` is kept in the same transaction. The folder has yet to follow (`moved`). */
  rename(volume: VolumeRecord, name: string, also: () => void): void {
    this.state.transaction(() => {
      this.state.db
        .query("UPDATE volumes SET name = ?, moved_from = ? WHERE name = ?")
        .run(name, volume.name, volume.name);
      also();
    });
    this.volumes.delete(volume.name);
    this.volumes.set(name, { ...volume, name, movedFrom: volume.name });
  }

  moved(name: string): void {
    this.change(name, "UPDATE volumes SET moved_from = '' WHERE name = ?", { movedFrom: "" });
  }

  pin(name: string, pinned: boolean): void {
    this.change(name, `UPDATE volumes SET pinned = ${pinned ? 1 : 0} WHERE name = ?`, { pinned });
  }

  private change(name: string, statement: string, values: Partial<VolumeRecord>): void {
    const volume = this.volumes.get(name);
    if (!volume) return;
    this.state.transaction(() => this.state.db.query(statement).run(name));
    this.volumes.set(name, { ...volume, ...values });
  }

  remove(name: string): void {
    this.state.transaction(() => this.state.db.query("DELETE FROM volumes WHERE name = ?").run(name));
    this.volumes.delete(name);
  }
}
