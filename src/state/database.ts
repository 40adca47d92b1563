import { Database } from "bun:sqlite";
import { closeSync, fstatSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf, wrap } from "../lib/errors.ts";
import { migrations } from "./migrations.ts";
import { SpareRoom } from "./spare-room.ts";

/**
 * The engine's one database: `<data root>/state.db`, SQLite in WAL mode with `synchronous=FULL`, so a committed
 * transaction survives power loss. There is one writer, the engine's main thread. Each service keeps its own tables
 * (`migrations.ts` names the owner) and makes each change of state one transaction.
 */
export class State {
  readonly db: Database;
  private readonly spare: SpareRoom | undefined;

  private constructor(db: Database, spare?: SpareRoom) {
    this.db = db;
    this.spare = spare;
  }

  /** Opens or makes the database and brings its schema up to date. Throws `internal` where it cannot be used. */
  static open(dataRoot: string): State {
    const file = join(dataRoot, "state.db");
    try {
      mkdirSync(dataRoot, { recursive: true, mode: 0o710 });
      const spare = new SpareRoom(dataRoot);
      spare.giveIfTight();
      const state = State.prepare(new Database(file, { create: true, strict: true }), spare);
      reserveLog(`${file}-wal`);
      spare.keep();
      return state;
    } catch (error) {
      throw wrap(`open state ${file}`, error);
    }
  }

  /** A database in memory, for tests. */
  static inMemory(): State {
    return State.prepare(new Database(":memory:", { strict: true }));
  }

  private static prepare(db: Database, spare?: SpareRoom): State {
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL");
    db.run("PRAGMA foreign_keys = ON");
    db.run("PRAGMA busy_timeout = 2000");
    db.run(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    migrate(db);
    return new State(db, spare);
  }

  /**
   * Runs `work` as one transaction: all of it is kept, or, when it throws, none. On a disk that is full it fails, once:
   * what is kept for that is free then.
   */
  transaction<T>(work: () => T): T {
    try {
      return this.db.transaction(work).immediate();
    } catch (error) {
      if ((error as { code?: unknown }).code === "SQLITE_FULL" && this.spare?.give())
        throw new EngineError("internal", `${messageOf(error)}; some room was kept for this: try it again`, {
          cause: error,
        });
      throw error;
    }
  }

  close(): void {
    this.spare?.close();
    this.db.close();
  }
}

/** pages of 4 KiB in the write-ahead log before they go to the database, and the log begins anew */
const checkpointPages = 512;
const reservedBytes = 3 << 20;

/**
 * Gives the write-ahead log its room before it is needed: on a full disk the engine can still write down that a
 * container ended or went, which is what makes room again. SQLite ignores what follows the last valid frame. Where there
 * is no room for it now, there is none to reserve.
 */
function reserveLog(file: string): void {
  const fd = openSync(file, "r+");
  try {
    const { size } = fstatSync(fd);
    if (size < reservedBytes)
      writeSync(fd, Buffer.alloc(reservedBytes - size), 0, reservedBytes - size, size);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(fd);
  }
}

function migrate(db: Database): void {
  const row = db.query<{ user_version: number }, []>("PRAGMA user_version").get();
  const from = row?.user_version ?? 0;
  if (from > migrations.length)
    throw new EngineError(
      "internal",
      `the state is of schema ${from}, newer than the ${migrations.length} this version knows; use a newer berth`,
    );
  for (let version = from; version < migrations.length; version++) {
    db.transaction(() => {
      db.run(migrations[version] ?? "");
      db.run(`PRAGMA user_version = ${version + 1}`);
    }).immediate();
  }
}
