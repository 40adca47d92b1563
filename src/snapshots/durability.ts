import { readFileSync } from "node:fs";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { State } from "../state/database.ts";
import { runCommand } from "../system/process/process.ts";

/**
 * When layers have reached the disk. Waiting for that with every layer would cost as much as unpacking it, so it
 * happens behind the answer: a moment after the last new layer the file system is synced once for all of them. A layer
 * that was not synced when the machine went down is read again at the next start, and dropped where it is damaged.
 */
export class Durability {
  private readonly state: State;
  private readonly folder: string;
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  /** when the first layer came that waits for the next sync, by the steady clock */
  private waitingSince: number | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(state: State, folder: string, logger: Logger) {
    this.state = state;
    this.folder = folder;
    this.logger = logger;
  }

  /** Layers whose sync was cut short when the machine went down: they are to be read again, and then `checked`. */
  suspects(): string[] {
    return this.knownBoot() === thisBoot() ? [] : this.unsynced();
  }

  /** All suspects that are still there are whole. Until this is written they are suspects, whatever ends the engine. */
  checked(): void {
    const boot = thisBoot();
    if (this.knownBoot() !== boot)
      this.state.transaction(() =>
        this.state.db.query("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)").run(bootFact, boot),
      );
    if (this.unsynced().length > 0) this.soon();
  }

  private knownBoot(): string | undefined {
    const query = this.state.db.query<{ value: string }, [string]>("SELECT value FROM facts WHERE key = ?");
    return query.get(bootFact)?.value;
  }

  /** A layer was added. */
  soon(): void {
    clearTimeout(this.timer);
    const now = performance.now();
    this.waitingSince ??= now;
    const rest = Math.min(settleMs, Math.max(0, this.waitingSince + longestWaitMs - now));
    this.timer = setTimeout(() => {
      this.waitingSince = undefined;
      this.running ??= this.sync().finally(() => {
        this.running = undefined;
      });
    }, rest);
    this.timer.unref();
  }

  /** Waits for nothing: on a busy disk a sync takes minutes, and what it did not reach is synced at the next start. */
  close(): void {
    clearTimeout(this.timer);
    this.closed = true;
  }

  private unsynced(): string[] {
    const rows = this.state.db.query<{ diff_id: string }, []>("SELECT diff_id FROM layers WHERE synced = 0");
    return rows.all().map(({ diff_id }) => diff_id);
  }

  private async sync(): Promise<void> {
    const layers = this.unsynced();
    try {
      const { exitCode, stderr } = await runCommand(["sync", "-f", "."], syncTimeoutMs, { cwd: this.folder });
      if (exitCode !== 0) throw new Error(stderr.trim() || `exit code ${exitCode}`);
      if (this.closed) return;
      this.state.transaction(() => {
        const mark = this.state.db.query("UPDATE layers SET synced = 1 WHERE diff_id = ?");
        for (const diffId of layers) mark.run(diffId);
      });
      // those that came while a slow disk was synced
      if (this.unsynced().length > 0) this.soon();
    } catch (error) {
      this.logger.warn("new layers could not be synced to the disk", { error: messageOf(error) });
    }
  }
}

const thisBoot = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

const bootFact = "snapshots.boot";
/** Layers come in bursts: one sync for all. What uses a new layer at once (a run, a push) has the disk to itself. */
const settleMs = 2000;
/** A burst that does not end is synced all the same. */
const longestWaitMs = 10_000;
const syncTimeoutMs = 300_000;
