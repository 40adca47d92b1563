import type { State } from "../../state/database.ts";
import type { KeyParts } from "./key.ts";

/** The kept result of a step. */
interface CacheEntry {
  key: string;
  kind: string;
  description: string;
  /** keys of the steps it was made from */
  parents: string[];
  /** the layer it added, a diff id */
  layer: string;
  /** when it ran, RFC 3339: the time an image's history tells */
  created: string;
  usedAt: number;
  uses: number;
}

interface NewEntry {
  key: string;
  kind: string;
  description: string;
  parents: readonly string[];
  layer: string;
  created: string;
  parts: KeyParts;
  /** digests of the lists of files that are kept beside the database */
  files: readonly string[];
  /** the same for the same instruction, wherever it stands */
  family: string;
  /** the same for the same place of the same Dockerfile */
  position: string;
}

interface Row {
  key: string;
  kind: string;
  description: string;
  parents: string;
  layer: string;
  created: string;
  used_at: number;
  uses: number;
}

const columns = "key, kind, description, parents, layer, created, used_at, uses";

/** The table of results. Layers named in it are spared by collection; see `images/remove/reaper.ts`. */
export class CacheStore {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  get(key: string): CacheEntry | undefined {
    const row = this.state.db
      .query<Row, [string]>(`SELECT ${columns} FROM build_cache WHERE key = ?`)
      .get(key);
    return row === null ? undefined : entryOf(row);
  }

  all(): CacheEntry[] {
    return this.state.db
      .query<Row, []>(`SELECT ${columns} FROM build_cache ORDER BY used_at`)
      .all()
      .map(entryOf);
  }

  put(entry: NewEntry): void {
    const parts = Bun.zstdCompressSync(Buffer.from(JSON.stringify(entry.parts)), { level: 1 });
    const values = [
      entry.key,
      entry.kind,
      entry.description,
      JSON.stringify(entry.parents),
      entry.layer,
      parts,
      entry.family,
      entry.position,
      entry.files.join(" "),
      entry.created,
      Date.now(),
    ];
    this.state.transaction(() =>
      this.state.db
        .query(
          `INSERT OR REPLACE INTO build_cache
           (key, kind, description, parents, layer, parts, family, position, files, created, used_at, uses)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
        )
        .run(...values),
    );
  }

  /**
   * The parts of the earlier step that is most like one: the same instruction of the same project, there too if it can
   * be at the same place; else what stood at its place; else the same instruction anywhere. The last used among equals.
   */
  nearest(step: { family: string; position: string; project: string }): KeyParts | undefined {
    const { family, position, project } = step;
    const find = (where: string, ...values: string[]) =>
      this.state.db
        .query<{ parts: Uint8Array }, string[]>(`SELECT parts FROM build_cache WHERE ${where} LIMIT 1`)
        .get(...values);
    const own = `${project} `;
    const row =
      find(
        "family = ? AND substr(position, 1, length(?)) = ? ORDER BY position = ? DESC, used_at DESC",
        ...[family, own, own, position],
      ) ??
      find("position = ? ORDER BY used_at DESC", position) ??
      find("family = ? ORDER BY used_at DESC", family);
    if (row === null) return undefined;
    return JSON.parse(Buffer.from(Bun.zstdDecompressSync(row.parts)).toString("utf8")) as KeyParts;
  }

  /** Lists of files that some entry names. */
  lists(): Set<string> {
    const rows = this.state.db.query<{ files: string }, []>(
      "SELECT files FROM build_cache WHERE files <> ''",
    );
    return new Set(rows.all().flatMap(({ files }) => files.split(" ")));
  }

  /** Notes a use of each, in one transaction. */
  touch(keys: Iterable<string>): void {
    const update = this.state.db.query("UPDATE build_cache SET used_at = ?, uses = uses + 1 WHERE key = ?");
    const now = Date.now();
    const all = [...keys];
    if (all.length > 0)
      this.state.transaction(() => {
        for (const key of all) update.run(now, key);
      });
  }

  remove(keys: Iterable<string>): void {
    const removal = this.state.db.query("DELETE FROM build_cache WHERE key = ?");
    this.state.transaction(() => {
      for (const key of keys) removal.run(key);
    });
  }
}

const entryOf = (row: Row): CacheEntry => ({
  key: row.key,
  kind: row.kind,
  description: row.description,
  parents: JSON.parse(row.parents) as string[],
  layer: row.layer,
  created: row.created,
  usedAt: row.used_at,
  uses: row.uses,
});
